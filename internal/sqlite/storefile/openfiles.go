// Package storefile handles the files of a store: who may read them, whether they are
// still the files that were opened, whether the log and its index fit each other, and
// whose turn it is to write. It knows how SQLite names, lays out and locks its files,
// but contains no SQL.
package storefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"example.org/bridge/internal/bridge"
)

// The files of a store, identified by their suffixes: the database, its write-ahead
// log, and the log's index, which all processes map into memory.
const (
	mainFile = iota
	logFile
	indexFile
	storeFiles
)

func fileNames(path string) [storeFiles]string {
	return [storeFiles]string{path, path + "-wal", path + "-shm"}
}

// Files are the files of a store that a process has open. SQLite removes or replaces
// none of them while a process has them open, so if a name refers to another file,
// something else did that. SQLite itself would continue with files that no other
// process can open, or that contradict each other, and what it acknowledged would be
// lost when the last process ends.
type Files struct {
	names [storeFiles]string
	ids   [storeFiles]fileID
	log   *os.File  // to read and to flush
	index *logIndex // to read; nil on platforms where this check is not needed
	main  *mainHead // to read; nil likewise
	lost  atomic.Pointer[error]

	closed atomic.Bool
}

// Track records the identity of the files at path. A connection that has read from them
// must be open and must stay open.
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
	f.index.count(1) // undone by Close
	if f.main, err = openMain(f.names[mainFile]); err != nil {
		return nil, err
	}
	return f, f.Fit()
}

// Check returns ErrStoreGone if a name of the store now refers to another file or to
// none, as after the store was removed or put back from a copy under running agents. It
// also does so if the beginning of the database was overwritten, which SQLite notices
// late because it has that page in memory. The error persists until the process ends,
// because what happened in between is unknown.
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
			// If a file cannot be examined, that does not show that it is gone.
		case !f.ids[i].same(now):
			return f.lose(name, "was replaced")
		case i == indexFile && now.size < indexHeaderSize:
			// Accessing the part that SQLite has mapped would kill the process.
			return f.lose(name, "was emptied")
		}
	}
	if f.main.changed() {
		return f.lose(f.names[mainFile], "was overwritten")
	}
	return nil
}

// Fit returns ErrStoreGone if the log does not end as its index says, because one of
// them was truncated, overwritten or put back from a copy.
func (f *Files) Fit() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	if f.index == nil || f.log == nil || f.index.matches(f.log) {
		return nil
	}
	return f.lose(f.names[logFile], "or its index was overwritten")
}

// Committed records how far the log has come with the commit just made, so that an
// index put back from an earlier copy is detected.
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

// Gone reports whether Check or Fit has failed.
func (f *Files) Gone() bool { return f.lost.Load() != nil }

// OnlyLogRemoved reports whether the log was removed from its folder and nothing else
// has changed. Its content can then be moved into the database by a process that still
// has it open.
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

// Pages returns the size of the database in pages as of the last commit, or 0 if that
// is not known without asking SQLite.
func (f *Files) Pages() int64 {
	if f.index == nil {
		return 0
	}
	return f.index.pages()
}

// Path returns the path of the database.
func (f *Files) Path() string { return f.names[mainFile] }

// Log returns the log, opened for flushing. Files closes it.
func (f *Files) Log() *os.File { return f.log }

// LogSize returns the size of the log in bytes, or 0 if it cannot be determined.
func (f *Files) LogSize() int64 {
	info, err := f.log.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Writer returns the other process that has a write transaction open. It returns false
// if there is none or if the system does not tell.
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

// Close stops the checks. The connections must be closed before. Later checks find
// nothing wrong, and closing again does nothing.
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

// LogName returns the path of the log of the store at path.
func LogName(path string) string { return fileNames(path)[logFile] }
