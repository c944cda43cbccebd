// Package privatefile writes files whole or not at all, and checks that files
// and folders belong to the user and are closed to others.
package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write says how a file is put in its place. The zero Write replaces whatever
// has the name, with mode 0600 and for the user.
type Write struct {
	// Mode of the file, whatever the umask; zero means 0600.
	Mode fs.FileMode
	// Like, when set, is a file whose owner and group the new one gets.
	Like fs.FileInfo
	// New refuses, with fs.ErrExist, to replace anything.
	New bool
	// Durable makes file and name survive a power cut.
	Durable bool
	// Last, when set, is called when all is written and before the file gets its
	// name; an error of it ends the writing.
	Last func() error
}

// File puts data under the name path. Others see the old file or the new one,
// whole; after an error, the old one. The folder must exist.
func (w Write) File(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".bridge-new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(temp.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	err = errors.Join(w.fill(temp, data), temp.Close())
	if err == nil && w.Last != nil {
		err = w.Last()
	}
	if err != nil {
		return err
	}
	if err := w.name(temp.Name(), path); err != nil || !w.Durable {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

func (w Write) fill(f *os.File, data []byte) error {
	mode := w.Mode
	if mode == 0 {
		mode = 0o600
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(mode), keepOwner(f, w.Like)); err != nil {
		return err
	}
	if w.Durable {
		return f.Sync()
	}
	return nil
}

func (w Write) name(temp, path string) error {
	if w.New {
		return os.Link(temp, path)
	}
	return os.Rename(temp, path)
}
