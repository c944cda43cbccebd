package storefile

import (
	"errors"
	"io/fs"
	"os"
)

// reserveSize is the space, in bytes, that removing a few messages needs on a full
// disk.
const reserveSize = 2 << 20

func reservePath(path string) string { return path + "-reserve" }

// KeepReserve creates a file that reserves space on the disk, unless it exists. It does
// nothing if the disk has too little space.
func KeepReserve(path string) {
	name := reservePath(path)
	if info, err := os.Lstat(name); err == nil && info.Size() == reserveSize || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|noFollow, 0o600)
	if err != nil {
		return
	}
	_, err = f.Write(make([]byte, reserveSize)) // write real data: a sparse file would reserve nothing
	if err = errors.Join(err, private(f), f.Close()); err != nil {
		_ = os.Remove(name)
	}
}

// FreeReserve releases the reserved space.
func FreeReserve(path string) { _ = os.Remove(reservePath(path)) }
