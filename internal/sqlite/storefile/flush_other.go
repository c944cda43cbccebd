//go:build !linux

package storefile

import "os"

// FlushData waits until a file is on the disk.
func FlushData(f *os.File) error { return f.Sync() }
