//go:build unix

package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// heldWhileOpen reports that closing a file that is held lets it go.
const heldWhileOpen = true

// hold marks a file under a temporary name as one that a living process is
// writing: the kernel lets go of the lock of a dead one.
func hold(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) {
		return nil // then Sweep cannot lock it either
	}
	return err
}

// Sweep removes what processes that were killed while they wrote have left in a
// folder under temporary names. What cannot be removed stays.
func Sweep(folder string) {
	for _, pattern := range temporary {
		names, _ := fs.Glob(os.DirFS(folder), pattern)
		for _, name := range names {
			sweep(filepath.Join(folder, name))
		}
	}
}

func sweep(name string) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.Remove(name)
	}
}

// stolen reports that Sweep of another process was quicker than hold.
func stolen(err error, name string) bool {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true // and is about to remove it
	}
	_, gone := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist) && errors.Is(gone, fs.ErrNotExist)
}
