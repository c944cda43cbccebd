//go:build !linux && !darwin

package storefile

// NetworkFilesystem cannot tell on this platform.
func NetworkFilesystem(string) string { return "" }
