package sqlite

import (
	"errors"
	"io"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"example.org/bridge/internal/auth"
)

// LibraryVersion is the version of SQLite.
const LibraryVersion = sqlite3.SQLITE_VERSION

// Inspection is what can be told of a store from outside.
type Inspection struct {
	// Bytes is the size of the database file.
	Bytes int64
	// WAL reports that the database is in WAL mode.
	WAL bool
	// SchemaVersion is 0 for a file that nobody has put anything into.
	SchemaVersion int
	// Problems is what SQLite's quick check found, at most ten; empty when sound.
	Problems []string

	header header
}

// FitsKey reports whether the store was made with key.
func (i Inspection) FitsKey(key auth.Key) bool { return i.header.checkKey("", key) == nil }

// Identify reports, as ErrStoreForeign or ErrStoreNewer, a file that is no store
// that this program can use. It needs no key, and changes nothing.
func Identify(path string) error {
	h, err := readHeader(path)
	if err != nil {
		return translate(err)
	}
	return h.usable(path)
}

// Inspect looks at the store at path, and changes nothing. It must not be
// called in a process that has the store open: it opens the database file
// itself, and closing that would drop SQLite's locks.
func Inspect(path string) (Inspection, error) {
	var i Inspection
	if err := i.readFile(path); err != nil {
		return i, err
	}
	// Without a log there is nothing but the file: reading it as immutable
	// keeps SQLite from making a log and its index for a look. A process that
	// starts just now makes the log, and the look is taken again.
	immutable := !inUse(path)
	err := i.readDatabase(path, immutable)
	if immutable && inUse(path) {
		err = i.readDatabase(path, false)
	}
	if err != nil {
		return i, translate(err)
	}
	i.SchemaVersion = int(i.header.version)
	return i, i.header.usable(path)
}

// walVersion is what bytes 18 and 19 of a database in WAL mode hold
// (https://www.sqlite.org/fileformat.html, section 1.3.3).
const walVersion = 2

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
	if _, err := f.ReadAt(versions[:], 18); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	i.WAL = versions == [2]byte{walVersion, walVersion}
	return nil
}

func (i *Inspection) readDatabase(path string, immutable bool) error {
	name := dsn(path, "ro", "busy_timeout(30000)", "trusted_schema(OFF)")
	if immutable {
		name += "&immutable=1"
	}
	d, err := new(sqlite.Driver).Open(name)
	if err != nil {
		return err
	}
	c := newConn(d)
	err = i.header.read(c)
	if err == nil {
		i.Problems, err = quickCheck(c)
	}
	return errors.Join(err, c.Close())
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

// NetworkFilesystem names the network filesystem that dir is on; it is empty on
// a local one, and where the platform does not tell.
func NetworkFilesystem(dir string) string { return networkFilesystem(dir) }
