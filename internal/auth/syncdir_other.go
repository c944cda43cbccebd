//go:build !unix

package auth

// syncDir does nothing: this platform cannot sync a folder.
func syncDir(string) error { return nil }
