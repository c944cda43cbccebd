package agents

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"example.org/bridge/internal/confedit"
	"example.org/bridge/internal/privatefile"
)

// file is the content of a configuration file when it was read.
type file struct {
	path string
	// real is path with symbolic links resolved. This is the file that is replaced.
	real   string
	exists bool
	text   []byte
	info   fs.FileInfo
}

var (
	errReadOnly = errors.New("is read-only; it was left as it is")
	errChanged  = errors.New("was changed by another program in the meantime; nothing was done, try again")
)

// readFile reads a file, which may be missing. It returns an error for a file that
// could not be written back unchanged.
func readFile(path string) (file, error) {
	f := file{path: path, real: path}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	followed, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrPermission) {
		return f, &FileError{path, errors.New("may not be read by this user: is HOME your own home folder?")}
	}
	if err != nil {
		return f, &FileError{path, errors.New("is a broken symbolic link")}
	}
	f.real, f.exists = followed, true
	if f.info, err = os.Stat(followed); err != nil {
		return f, &FileError{path, errors.Unwrap(err)}
	}
	switch {
	case !f.info.Mode().IsRegular():
		return f, &FileError{path, errors.New("is not an ordinary file")}
	case f.info.Size() > confedit.MaxSize:
		return f, &FileError{path, fmt.Errorf("is larger than %d MiB", confedit.MaxSize>>20)}
	}
	if f.text, err = os.ReadFile(followed); err != nil {
		return f, &FileError{path, errors.Unwrap(err)}
	}
	return f, nil
}

// replace writes text in place of what was read, or removes the file if exists is
// false. The change is atomic and keeps permissions and owner. It fails if the file has
// changed since it was read.
func (f file) replace(text []byte, exists bool, mode fs.FileMode) error {
	if !exists {
		if err := f.unchanged(); err != nil {
			return err
		}
		return os.Remove(f.real)
	}
	if f.exists {
		mode = f.info.Mode().Perm()
	}
	err := privatefile.Write{Mode: mode, Like: f.info, Durable: true, Last: f.unchanged}.File(f.real, text)
	var problem *fs.PathError
	if errors.As(err, &problem) {
		return &FileError{f.path, problem.Err}
	}
	return err
}

// writable returns an error if the file is write-protected.
func (f file) writable() error {
	info, err := os.Stat(f.real)
	if err == nil && info.Mode().Perm()&0o200 == 0 {
		return &FileError{f.path, errReadOnly}
	}
	return nil
}

// unchanged returns an error if the file has changed since it was read.
func (f file) unchanged() error {
	now, err := readFile(f.path)
	if err != nil || now.exists != f.exists || now.real != f.real || !bytes.Equal(now.text, f.text) {
		return &FileError{f.path, errChanged}
	}
	return nil
}

// makeFolders creates the folder of a file and its parents as needed, and returns those
// that were missing, outermost first.
func makeFolders(path string, mode fs.FileMode) (made []string, err error) {
	var missing []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		missing = append([]string{dir}, missing...)
	}
	for _, dir := range missing {
		if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, err
		}
		made = append(made, dir)
	}
	return made, nil
}

// removeFolders removes the folders that are empty, innermost first, and returns those
// that were not.
func removeFolders(made []string) (left []string) {
	for _, dir := range slices.Backward(made) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			left = append([]string{dir}, left...)
		}
	}
	return left
}
