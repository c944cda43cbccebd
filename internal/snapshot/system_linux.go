package snapshot

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
)

// openForWriting reports whether some program may have a file open for writing,
// or in its memory. The kernel gives a read lease (fcntl(2)) only where none
// has. It gives none for another user's file either, so that such a file counts
// as open. A file system without leases cannot tell, and no file there counts.
func openForWriting(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
		return false
	}
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
}

// stamp tells d from another folder, and from itself with other entries. It is the
// zero value where that cannot be relied on.
func (d dir) stamp(t *dirstate.Trust) (dirstate.Stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return dirstate.Stamp{}, err
	}
	s := dirstate.StampOf(&st)
	if !t.Folder(d.fd, s.Device) {
		return dirstate.Stamp{}, nil
	}
	return s, nil
}
