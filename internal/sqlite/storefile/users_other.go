//go:build !linux

package storefile

import "example.org/bridge/internal/bridge"

// OtherPrograms does not know other processes on this platform.
func OtherPrograms(string) []bridge.Holder { return nil }
