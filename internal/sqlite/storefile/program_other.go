//go:build !linux

package storefile

// program does not know other processes on this platform.
func program(int) (name string, stopped bool) { return "", false }
