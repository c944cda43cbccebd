package storefile

import (
	"errors"
	"io/fs"
	"os"
)

// reserveSize is what the removal of a few messages needs on a full disk.
const reserveSize = 2 << 20

func reservePath(path string) string { return path + "-reserve" }

// KeepReserve makes a file that holds room on the disk, if there is none. Without
// room there is none to hold.
func KeepReserve(path string) {
	name := reservePath(path)
	if info, err := os.Lstat(name); err == nil && info.Size() == reserveSize || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|noFollow, 0o600)
	if err != nil {
		return
	}
	_, err = f.Write(make([]byte, reserveSize)) // no hole: that would hold nothing
	if err = errors.Join(err, private(f), f.Close()); err != nil {
		_ = os.Remove(name)
	}
}

// FreeReserve gives the room that the reserve holds back to the disk.
func FreeReserve(path string) { _ = os.Remove(reservePath(path)) }
