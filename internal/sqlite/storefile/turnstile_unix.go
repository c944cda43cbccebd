//go:build unix

package storefile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryFlock takes the lock if it is free.
func tryFlock(f *os.File) (bool, error) {
	switch err := flock(f, unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

func waitFlock(f *os.File) error { return flock(f, unix.LOCK_EX) }

func unlockFlock(f *os.File) error { return flock(f, unix.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
