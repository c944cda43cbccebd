//go:build !linux

package storefile

import "example.org/bridge/internal/bridge"

// OtherPrograms returns nothing, because other processes are not examined on this
// platform.
func OtherPrograms(string) []bridge.Holder { return nil }
