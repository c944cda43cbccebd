//go:build unix

package storefile

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
)

// CheckPrivate reports, as ErrStorePermissions together with the command that fixes it,
// a file that other users may read or write, a folder that they may change, and
// anything that belongs to another user.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() && info.Mode()&os.ModeSticky != 0 {
		return fmt.Errorf("%w: %s is a folder that all users may write to: name a folder of your own with --db", bridge.ErrStorePermissions, path)
	}
	forbidden := privatefile.Closed
	if info.IsDir() {
		forbidden = privatefile.Unchangeable
	}
	if err := privatefile.Check(path, info, forbidden); err != nil {
		return fmt.Errorf("%w: %w", bridge.ErrStorePermissions, err)
	}
	return nil
}

// CheckWritable reports, as ErrStoreReadOnly, a file or folder that this user cannot
// change. It does not open it.
func CheckWritable(path string) error {
	err := unix.Access(path, unix.W_OK)
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: %s is on a filesystem that is mounted read-only", bridge.ErrStoreReadOnly, path)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: run: chmod u+w '%s'", bridge.ErrStoreReadOnly, path)
	}
	return nil // a missing file is no problem
}

// private sets the mode of f to 0600 regardless of the umask.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() == 0o600 {
		return err
	}
	return f.Chmod(0o600)
}

// systemErrors maps error numbers of the system to the domain's errors.
var systemErrors = []struct {
	errno unix.Errno
	name  error
}{
	{unix.EROFS, bridge.ErrStoreReadOnly},
	{unix.ENOSPC, bridge.ErrStoreFull},
	{unix.EDQUOT, bridge.ErrStoreFull},
	{unix.EFBIG, bridge.ErrStoreFull},
	{unix.EIO, bridge.ErrStoreIO},
	{unix.EMFILE, bridge.ErrTooManyFiles},
	{unix.ENFILE, bridge.ErrTooManyFiles},
	{unix.ENOMEM, bridge.ErrNoMemory},
	{unix.ENOLCK, bridge.ErrNoLocks},
}

// systemError returns the domain's error for an error of the system, or nil.
func systemError(err error) error {
	for _, e := range systemErrors {
		if errors.Is(err, e.errno) {
			return e.name
		}
	}
	return nil
}

// noFollow is the open flag that refuses symbolic links.
const noFollow = unix.O_NOFOLLOW
