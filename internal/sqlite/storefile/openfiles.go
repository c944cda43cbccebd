// Package storefile looks after the files of a store: who may read them, whether
// they are still the ones that were opened, whether the log and its index fit each
// other, and whose turn it is to write. It knows how SQLite names, lays out and
// locks its files, and no SQL.
package storefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"example.org/bridge/internal/bridge"
)

// The files of a store, by the endings of their names: the database, its
// write-ahead log, and the log's index, which all processes map into memory.
const (
	mainFile = iota
	logFile
	indexFile
	storeFiles
)

func fileNames(path string) [storeFiles]string {
	return [storeFiles]string{path, path + "-wal", path + "-shm"}
}

// Files are the files of a store that a process has open. While one process
// has them open none of them is removed or replaced by SQLite, so where a name
// stands for another file, something else did that. SQLite would go on all the
// same, with files that nobody else can open or that contradict each other, and
// what it acknowledged would be gone when the last process ends.
type Files struct {
	names [storeFiles]string
	ids   [storeFiles]fileID
	log   *os.File  // to look at, and to flush
	index *logIndex // to look at; nil where the platform needs no look
	main  *mainHead // the same
	lost  atomic.Pointer[error]

	closed atomic.Bool
}

// Track notes which files are at path. A connection that has read from them is
// open already, and stays open.
func Track(path string) (_ *Files, err error) {
	f := &Files{names: fileNames(path)}
	defer func() {
		if err != nil {
			err = errors.Join(Unwritable(err), f.Close())
		}
	}()
	for i, name := range f.names {
		if f.ids[i], err = identifyFile(name); err != nil {
			return nil, err
		}
	}
	if f.log, err = openLog(f.names[logFile]); err != nil {
		return nil, err
	}
	if f.index, err = openIndex(f.names[indexFile]); err != nil {
		return nil, err
	}
	f.index.count(1) // which Close takes back
	if f.main, err = openMain(f.names[mainFile]); err != nil {
		return nil, err
	}
	return f, f.Fit()
}

// Check reports, as ErrStoreGone, that a name of the store stands for another
// file now, or for none, as where a store was removed, or put back from a copy,
// under running agents, or that the beginning of the database was overwritten, which
// SQLite sees late: it has that page in its memory. It stays so until the process ends: what was in between
// is not known.
func (f *Files) Check() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	for i, name := range f.names {
		now, err := identifyFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return f.lose(name, "was removed")
		case err != nil:
			// What cannot be looked at is not known to be gone.
		case !f.ids[i].same(now):
			return f.lose(name, "was replaced")
		case i == indexFile && now.size < indexHeaderSize:
			// Touching what SQLite has mapped of it would end the process.
			return f.lose(name, "was emptied")
		}
	}
	if f.main.changed() {
		return f.lose(f.names[mainFile], "was overwritten")
	}
	return nil
}

// Fit reports, as ErrStoreGone, a log that does not end as its index says: one of
// them was emptied, overwritten or put back from a copy.
func (f *Files) Fit() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	if f.index == nil || f.log == nil || f.index.matches(f.log) {
		return nil
	}
	return f.lose(f.names[logFile], "or its index was overwritten")
}

// Committed notes how far the log has come with what was committed just now, so that Fit
// finds an index which was put back from a copy of before.
func (f *Files) Committed() {
	if f.index != nil && f.log != nil && f.index.wentBack(f.log) {
		_ = f.lose(f.names[logFile], "or its index was overwritten")
	}
}

func (f *Files) lose(name, what string) error {
	err := fmt.Errorf("%w: %s %s", bridge.ErrStoreGone, name, what)
	f.lost.CompareAndSwap(nil, &err)
	return err
}

// Gone reports that Check or Fit has failed.
func (f *Files) Gone() bool { return f.lost.Load() != nil }

// OnlyLogRemoved reports that the log is gone from its folder and nothing else
// is: what it holds can be moved into the database by who has it open still.
func (f *Files) OnlyLogRemoved() bool {
	_, err := identifyFile(f.names[logFile])
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for _, i := range []int{mainFile, indexFile} {
		if now, err := identifyFile(f.names[i]); err != nil || !f.ids[i].same(now) {
			return false
		}
	}
	return f.index == nil || f.log == nil || f.index.matches(f.log)
}

// Pages returns how many pages the database has, as of the last commit. It is 0
// where that is not known without asking SQLite.
func (f *Files) Pages() int64 {
	if f.index == nil {
		return 0
	}
	return f.index.pages()
}

// Path is the name of the database.
func (f *Files) Path() string { return f.names[mainFile] }

// Log is the log, open to be flushed. It is Files that closes it.
func (f *Files) Log() *os.File { return f.log }

// LogSize is the size of the log, in bytes; 0 where it cannot be told.
func (f *Files) LogSize() int64 {
	info, err := f.log.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Writer returns the other process that has a write transaction open, and false
// where none has or the system does not tell.
func (f *Files) Writer() (bridge.Holder, bool) {
	if f.index == nil {
		return bridge.Holder{}, false
	}
	pid, held := f.index.holder(writeByte)
	if !held {
		return bridge.Holder{}, false
	}
	program, stopped := program(pid)
	return bridge.Holder{PID: pid, Program: program, Stopped: stopped}, true
}

// Close ends the looking. The connections must be closed before. Who looks all the same
// finds nothing wrong; closing again does nothing.
func (f *Files) Close() error {
	if f.closed.Swap(true) {
		return nil
	}
	var errs []error
	if f.log != nil {
		errs = append(errs, f.log.Close())
	}
	if f.index != nil {
		f.index.count(-1)
		errs = append(errs, f.index.release())
	}
	errs = append(errs, f.main.release())
	return errors.Join(errs...)
}

// LogName is the name of the log of the store at path.
func LogName(path string) string { return fileNames(path)[logFile] }
