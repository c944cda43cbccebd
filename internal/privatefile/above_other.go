//go:build !unix

package privatefile

import "io/fs"

// CheckAbove finds nothing: this platform's permissions are not those of POSIX.
func CheckAbove(string) error { return nil }

// CheckSecret finds nothing, for the same reason.
func CheckSecret(string) error { return nil }

// CheckTrusted finds nothing, for the same reason.
func CheckTrusted(string, fs.FileInfo) error { return nil }
