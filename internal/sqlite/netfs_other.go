//go:build !linux && !darwin

package sqlite

// networkFilesystem cannot tell on this platform.
func networkFilesystem(string) string { return "" }
