package storefile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// FlushData waits until the data of a file, and the metadata needed to read it, are on
// the disk.
func FlushData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
