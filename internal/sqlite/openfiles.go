package sqlite

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

// openFiles are the files of a store that a process has open. While one process
// has them open none of them is removed or made anew by SQLite, so where a name
// stands for another file, something else did that. SQLite would go on all the
// same, with files that nobody else can open or that contradict each other, and
// what it acknowledged would be gone when the last process ends.
type openFiles struct {
	names [storeFiles]string
	ids   [storeFiles]fileID
	log   *os.File  // to look at, and to flush
	index *logIndex // to look at; nil where the platform needs no look
	lost  atomic.Pointer[error]
}

// look notes which files are at path. A connection that has read from them is
// open already, and stays open.
func look(path string) (_ *openFiles, err error) {
	f := &openFiles{names: fileNames(path)}
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
	f.index.count(1)
	return f, f.fit()
}

// check reports, as ErrStoreGone, that a name of the store stands for another
// file now, or for none, as where a store was removed, or put back from a copy,
// under running agents. It stays so until the process ends: what was in between
// is not known.
func (f *openFiles) check() error {
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
	return nil
}

// fit reports, as ErrStoreGone, a log that does not end as its index says: one of
// them was emptied, overwritten or put back from a copy.
func (f *openFiles) fit() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	if f.index == nil || f.log == nil || f.index.matches(f.log) {
		return nil
	}
	return f.lose(f.names[logFile], "or its index was overwritten")
}

// current is fit, and reports, as ErrStoreNewer, a store that a newer program has
// migrated since it was opened: what this one writes would not mean the same there.
func (f *openFiles) current(c *conn) error {
	if err := f.fit(); err != nil {
		return err
	}
	var version int64
	if err := c.get("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	if version != int64(SchemaVersion()) {
		return fmt.Errorf("%w: it was migrated to schema version %d meanwhile, and this process knows %d: restart it with the new bridge",
			bridge.ErrStoreNewer, version, SchemaVersion())
	}
	return nil
}

func (f *openFiles) lose(name, what string) error {
	err := fmt.Errorf("%w: %s %s", bridge.ErrStoreGone, name, what)
	f.lost.CompareAndSwap(nil, &err)
	return err
}

// gone reports that check or fit has failed.
func (f *openFiles) gone() bool { return f.lost.Load() != nil }

// onlyLogRemoved reports that the log is gone from its folder and nothing else
// is: what it holds can be moved into the database by who has it open still.
func (f *openFiles) onlyLogRemoved() bool {
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

// Close ends the looking. The connections must be closed before.
func (f *openFiles) Close() error {
	var errs []error
	if f.log != nil {
		errs = append(errs, f.log.Close())
	}
	if f.index != nil {
		f.index.count(-1)
		errs = append(errs, f.index.release())
	}
	f.log, f.index = nil, nil
	return errors.Join(errs...)
}

// explain gives an error of SQLite the domain's name for it. Where the files do
// not fit each other any more, that is the reason.
func (f *openFiles) explain(err error) error {
	if isDamage(err) {
		if gone := f.fit(); gone != nil {
			return gone
		}
	}
	return translate(f.names[mainFile], err)
}
