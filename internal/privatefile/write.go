// Package privatefile writes files atomically, and checks that files and
// folders belong to the user and cannot be accessed by others.
package privatefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write holds the options for writing a file. The zero Write replaces an
// existing file, and creates the file with mode 0600 for the user.
type Write struct {
	// Mode of the file, regardless of the umask; zero means 0600.
	Mode fs.FileMode
	// Like, if set, is a file whose owner and group the new file gets.
	Like fs.FileInfo
	// New refuses, with fs.ErrExist, to replace an existing file.
	New bool
	// Durable makes the file and its name survive a power failure.
	Durable bool
	// Last, if set, is called after all data was written and before the file
	// gets its name. If it returns an error, no file is created.
	Last func() error
}

// temporary are the patterns of the names of files that are being written: the
// current one, and that of keys in earlier versions.
var temporary = []string{".bridge-new-*", ".bridge-key-*"}

// attempts limits how often File starts again if others sweep.
const attempts = 100

// File writes data to path atomically. Readers see the old file or the complete
// new one; after an error, the old one. The folder must exist. If the process
// is killed meanwhile, it leaves a temporary file, which Sweep removes.
func (w Write) File(path string, data []byte) error {
	return w.Stream(path, func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
}

// Stream is File for data that is not in memory: fill writes it. fill may be called
// again, for another file, and then has to start from the beginning.
func (w Write) Stream(path string, fill func(io.Writer) error) error {
	var err error
	for range attempts {
		var temp *os.File
		if temp, err = os.CreateTemp(filepath.Dir(path), temporary[0]); err != nil { // mode 0600
			return err
		}
		err = hold(temp)
		if err == nil {
			err = w.place(temp, path, fill)
		} else {
			err = errors.Join(err, temp.Close())
		}
		if !stolen(err, temp.Name()) {
			break
		}
	}
	return err
}

// place fills the temporary file and renames it. In any case the temporary name
// is gone afterwards.
func (w Write) place(temp *os.File, path string, fill func(io.Writer) error) (err error) {
	defer func() {
		if closing := temp.Close(); !errors.Is(closing, os.ErrClosed) {
			err = errors.Join(err, closing)
		}
		if gone := os.Remove(temp.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	if err := w.fill(temp, fill); err != nil {
		return err
	}
	if !heldWhileOpen {
		if err := temp.Close(); err != nil {
			return err
		}
	}
	if w.Last != nil {
		if err := w.Last(); err != nil {
			return err
		}
	}
	if err := w.name(temp.Name(), path); err != nil || !w.Durable {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

func (w Write) fill(f *os.File, fill func(io.Writer) error) error {
	mode := w.Mode
	if mode == 0 {
		mode = 0o600
	}
	if err := fill(f); err != nil {
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

// Move gives a file another name, at which there must be none: the error is fs.ErrExist
// otherwise, and both files are kept. It does not sync the folders. If the old name cannot
// be removed, the file has both. Without hard links, as on some file systems, a file that
// appears at that moment is replaced.
func Move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() { // some systems link to what a symbolic link names
		err := os.Link(from, to)
		if err == nil {
			_ = os.Remove(from)
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "move", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}
