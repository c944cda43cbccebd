package sandbox

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// placeholder takes the place of a protected name that does not exist, during one
// run: a mount needs an existing path.
type placeholder struct {
	path  string
	inode uint64
	dir   bool
}

// placeholderTime is the modification time of every placeholder, to the second.
// It distinguishes a placeholder that a killed supervisor left behind from a
// folder of the user's: writing to the folder would change the time.
var placeholderTime = time.Date(1987, time.June, 5, 4, 3, 21, 0, time.UTC)

// hold creates a placeholder.
func (s *shield) hold(path, content string) error {
	p := placeholder{path: path, dir: content == ""}
	if p.dir {
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
	} else if err := createFile(path, content); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	p.inode = st.Ino
	s.made = append(s.made, p)
	s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
	return os.Chtimes(path, placeholderTime, placeholderTime)
}

func createFile(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 G304 -- read by git, which may be another user's
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// removeStale removes the placeholder that a killed supervisor left at path.
// Anything that cannot be removed is assumed to be the user's own.
func removeStale(path, content string) {
	info, err := os.Lstat(path)
	if err != nil || info.ModTime().Unix() != placeholderTime.Unix() {
		return
	}
	switch {
	case content == "" && info.IsDir():
		_ = unix.Rmdir(path) // fails unless it is empty
	case content != "" && info.Mode().IsRegular() && info.Size() == int64(len(content)):
		_ = unix.Unlink(path)
	}
}

// remove removes the placeholders. A placeholder that a program outside of the
// box has replaced or filled in the meantime is kept.
func (s *shield) remove() error {
	var errs []error
	for _, p := range s.made {
		var st unix.Stat_t
		if unix.Lstat(p.path, &st) != nil || st.Ino != p.inode {
			continue
		}
		var err error
		if p.dir {
			err = unix.Rmdir(p.path)
		} else {
			err = unix.Unlink(p.path)
		}
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) {
			errs = append(errs, fmt.Errorf("removing the placeholder %s: %w", p.path, err))
		}
	}
	s.made = nil
	return errors.Join(errs...)
}
