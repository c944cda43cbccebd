//go:build unix

package privatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Open opens a file for reading that only the user can access. It does not
// follow a link or wait for a pipe. The error may be ErrOpenToOthers.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a link", ErrOpenToOthers, path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not an ordinary file", ErrOpenToOthers, path)
	}
	if err == nil {
		err = Check(path, info, Closed)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Check returns ErrOpenToOthers, with the command that fixes it, if a file or
// folder belongs to another user or has a forbidden permission.
func Check(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, and this is user %d: run bridge as its owner, or name a file of your own", ErrOpenToOthers, path, owner.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		want := "600"
		if info.IsDir() {
			want = "700"
		}
		return fmt.Errorf("%w: %s has mode %04o; run: chmod %s '%s'", ErrOpenToOthers, path, mode, want, path)
	}
	return nil
}

// SyncFolder makes the names in a folder survive a power failure.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// keepOwner gives a new file the owner and group of the file that it replaces.
func keepOwner(f *os.File, old fs.FileInfo) error {
	if old == nil {
		return nil
	}
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if is, ok := info.Sys().(*syscall.Stat_t); ok && is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if f.Chown(int(was.Uid), int(was.Gid)) != nil {
		return errors.New("the file belongs to another user: run this as its owner")
	}
	return f.Chmod(old.Mode().Perm()) // a change of owner may have cleared bits
}
