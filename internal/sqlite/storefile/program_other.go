//go:build !linux

package storefile

// program returns nothing, because other processes are not examined on this platform.
func program(int) (name string, stopped bool) { return "", false }
