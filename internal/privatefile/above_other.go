//go:build !unix

package privatefile

import "io/fs"

// CheckAbove returns nil, because this platform does not have POSIX
// permissions.
func CheckAbove(string) error { return nil }

// CheckSecret returns nil, because this platform does not have POSIX
// permissions.
func CheckSecret(string) error { return nil }

// CheckTrusted returns nil, because this platform does not have POSIX
// permissions.
func CheckTrusted(string, fs.FileInfo) error { return nil }
