package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"

	sqlite3 "modernc.org/sqlite/lib"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
)

// LibraryVersion is the version of SQLite.
const LibraryVersion = sqlite3.SQLITE_VERSION

// Inspection is what can be told of a store from outside.
type Inspection struct {
	// Bytes is the size of the database file.
	Bytes int64
	// LogBytes is the size of the write-ahead log beside it.
	LogBytes int64
	// LogReaders are processes that read from the log just now, as far as the
	// system tells. While they do it cannot become smaller.
	LogReaders []bridge.Holder
	// WAL reports that the database is in WAL mode.
	WAL bool
	// SchemaVersion is 0 for a file that nobody has put anything into.
	SchemaVersion int
	// Problems is what SQLite's quick check found, and counts that do not hold, at most
	// ten each; empty when sound.
	Problems []string
	// Limits are those of the store; nil before it has any.
	Limits *bridge.LimitReport

	header header
}

// FitsKey reports whether the store was made with key.
func (i Inspection) FitsKey(key bridge.Key) bool { return i.header.checkKey("", key) == nil }

// Identify reports, as ErrStoreForeign or ErrStoreNewer, a file that is not a store
// that this program can use. It needs no key, changes nothing, and lets through
// what it is not sure about.
func Identify(path string) (err error) {
	defer contain(path, &err)
	return recognize(path)
}

// Inspect looks at the store at path, and changes nothing. It must not be
// called in a process that has the store open: it opens the database file
// itself, and closing that would drop SQLite's locks.
func Inspect(path string) (i Inspection, err error) {
	defer contain(path, &err)
	if err := i.readFile(path); err != nil {
		return i, err
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		i.LogBytes, i.LogReaders = info.Size(), storefile.LogReaders(path)
	}
	if err := recognize(path); err != nil {
		return i, err
	}
	// Without a log there is nothing but the file: inspecting that alone keeps
	// SQLite from making a log and its index. A process that starts just now
	// makes them, and then the look is taken again.
	quiet := !inUse(path)
	err = i.readDatabase(path, quiet)
	if quiet && inUse(path) {
		err = i.readDatabase(path, false)
	}
	i.SchemaVersion = int(i.header.version)
	if err == nil && i.SchemaVersion == SchemaVersion() {
		err = belongTogether(path)
	}
	return i, translate(path, err)
}

func (i *Inspection) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	i.Bytes = info.Size()
	var versions [2]byte
	if _, err := f.ReadAt(versions[:], offsetVersions); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	i.WAL = versions == [2]byte{walVersion, walVersion}
	return nil
}

func (i *Inspection) readDatabase(path string, quiet bool) error {
	mode := "ro"
	if quiet {
		mode = untouched
	}
	return withConn(path, mode, safely, func(c *conn) (err error) {
		if err := i.header.readAll(path, c); err != nil {
			return err
		}
		if i.Problems, err = quickCheck(c); err != nil || i.header.version < limitsVersion {
			return err
		}
		report, err := limitReport(c, "")
		i.Limits = &report
		if err != nil || i.header.version < int64(SchemaVersion()) {
			return err
		}
		wrong, err := miscounted(c)
		i.Problems = append(i.Problems, wrong...)
		return err
	})
}

// miscounted compares counts that are kept with what they count.
func miscounted(c *conn) (problems []string, err error) {
	var conversation, sender, recipient string
	var kept, counted int64
	err = c.each(wrongUnread, nil, []any{&conversation, &sender, &recipient, &kept, &counted}, func() error {
		problems = append(problems, fmt.Sprintf("%s: %d messages of %s to %s are unread, and %d are noted (table flows)", conversation, counted, sender, recipient, kept))
		return nil
	})
	return problems, err
}

func quickCheck(c *conn) (problems []string, err error) {
	var line string
	err = c.each("PRAGMA quick_check(10)", nil, []any{&line}, func() error {
		if line != "ok" {
			problems = append(problems, line)
		}
		return nil
	})
	return problems, err
}

// inUse reports whether the database has a log, or the index of one.
func inUse(path string) bool {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return true
	}
	_, err := os.Stat(path + "-shm")
	return err == nil
}
