package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// create makes the store at path, if there is none. It is made in memory and
// gets its name whole and synced, so that a process that is killed at any moment
// leaves either no store or a finished one. Where several processes make one at
// once, the first wins.
func create(path string, o Options) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return storefile.Unwritable(err)
	}
	if err := LeftOverLog(path); err != nil {
		return err
	}
	image, err := newImage(o)
	if err != nil {
		return fmt.Errorf("make a new store: %w", err)
	}
	err = privatefile.Write{New: true, Durable: true}.File(path, image)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker
	}
	return storefile.Unwritable(err)
}

// LeftOverLog reports, as ErrStoreDamaged, a log whose database is missing: what was
// said last may be in it. SQLite would take it for a new store's own.
func LeftOverLog(path string) error {
	log := storefile.LogName(path)
	info, err := os.Stat(log)
	if err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // there is none
	}
	return fmt.Errorf("%w: %s is missing, and its log %s is there: put back the file that belongs to it, or move the log away to start with an empty store",
		bridge.ErrStoreDamaged, path, filepath.Base(log))
}

// The file format versions of a database in WAL mode
// (https://www.sqlite.org/fileformat.html, section 1.3.3).
const (
	offsetVersions = 18
	walVersion     = 2
)

// newImage returns the content of a new store's file.
func newImage(o Options) (image []byte, err error) {
	scripts, err := migrations()
	if err != nil {
		return nil, err
	}
	d, err := new(sqlite.Driver).Open(":memory:")
	if err != nil {
		return nil, err
	}
	c := newConn(d)
	defer func() { err = errors.Join(err, c.Close()) }()
	// Both must be set before there are tables.
	for _, pragma := range []string{"PRAGMA page_size = 4096", "PRAGMA auto_vacuum = INCREMENTAL"} {
		if _, err := c.exec(pragma); err != nil {
			return nil, err
		}
	}
	if err := transact(c, "BEGIN IMMEDIATE", func(c *conn) error { return applyMigrations(c, scripts, o) }); err != nil {
		return nil, err
	}
	serial, ok := d.(interface{ Serialize() ([]byte, error) })
	if !ok {
		return nil, errors.New("the SQLite driver lacks Serialize")
	}
	if image, err = serial.Serialize(); err != nil {
		return nil, err
	}
	if len(image) < minDatabase {
		return nil, errors.New("SQLite gave no database")
	}
	image[offsetVersions], image[offsetVersions+1] = walVersion, walVersion
	return image, nil
}

// unfinished reports a store that a former version was killed over while it made
// it: an empty database with the journal of its first change, which has to be
// opened for writing to become empty again.
func unfinished(path string) bool {
	if info, err := os.Stat(path + "-journal"); err != nil || info.Size() == 0 {
		return false
	}
	var h header
	err := withConn(path, untouched, nil, h.readMarks)
	return err == nil && h.fresh()
}
