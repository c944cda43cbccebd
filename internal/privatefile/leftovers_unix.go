//go:build unix

package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// heldWhileOpen is true because closing a held file releases it.
const heldWhileOpen = true

// hold marks a temporary file as being written by a live process. The kernel
// releases the lock when the process dies.
func hold(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) {
		return nil // in that case Sweep cannot lock it either
	}
	return err
}

// Sweep removes temporary files in a folder that were left by processes that
// were killed while writing. Files that cannot be removed stay.
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

// stolen reports whether another process's Sweep locked the file before hold
// did.
func stolen(err error, name string) bool {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true // and is about to remove it
	}
	_, gone := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist) && errors.Is(gone, fs.ErrNotExist)
}
