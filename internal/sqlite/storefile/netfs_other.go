//go:build !linux && !darwin

package storefile

// NetworkFilesystem always returns "", because this platform does not tell.
func NetworkFilesystem(string) string { return "" }
