package sqlite

import (
	"os"
	"sync"
)

// walFile is the write-ahead log of the database, open to be flushed. Unlike the
// database and its -shm, nobody holds locks on it that closing it would drop. As
// long as a connection is open the file stays the same.
type walFile struct {
	path  string
	sync  func(*os.File) error
	mutex sync.Mutex
	file  *os.File
}

func newWALFile(database string, sync func(*os.File) error) *walFile {
	return &walFile{path: database + "-wal", sync: sync}
}

// flush returns when everything that was committed before it is on the disk.
// Many may flush at once: the disk does their work together.
func (w *walFile) flush() error {
	f, err := w.open()
	if err != nil {
		return err
	}
	return w.sync(f)
}

// open opens the file, which the first commit has made.
func (w *walFile) open() (*os.File, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.file != nil {
		return w.file, nil
	}
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err == nil {
		w.file = f
	}
	return f, err
}

// Close closes the file. A nil walFile has nothing to close.
func (w *walFile) Close() error {
	if w == nil {
		return nil
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
