package snapshot

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
)

// openForWriting reports whether a program may have a file open for writing, or
// mapped into memory. The kernel grants a read lease (fcntl(2)) only if none
// has. It also grants none for another user's file, so that such a file counts
// as open. A file system without leases cannot tell, and its files count as not
// open.
func openForWriting(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
		return false
	}
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
}

// stamp returns the stamp of d, or the zero Stamp if it cannot be relied on.
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
