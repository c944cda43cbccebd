package sqlite

import (
	"bytes"
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

// create makes the store at path if there is none. The store is built in memory,
// written to a synced temporary file and then linked to its name, so that a process
// killed at any moment leaves either no store or a complete one. If several processes
// create one at the same time, the first wins.
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
		return nil // another process was first
	}
	return storefile.Unwritable(err)
}

// LeftOverLog reports a log whose database is missing, as ErrStoreDamaged. The log may
// hold the latest messages, and SQLite would discard it when a new store is created.
func LeftOverLog(path string) error {
	log := storefile.LogName(path)
	info, err := os.Stat(log)
	if err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // there is none
	}
	return fmt.Errorf("%w: %s is missing, but its log %s exists: put back the file that belongs to it, or move the log away to start with an empty store",
		bridge.ErrStoreDamaged, path, filepath.Base(log))
}

// File format versions of a database in WAL mode
// (https://www.sqlite.org/fileformat.html, section 1.3.3).
const (
	offsetVersions = 18
	walVersion     = 2
)

// newImage returns the content of a new store's file.
func newImage(o Options) (image []byte, err error) {
	d, err := new(sqlite.Driver).Open(":memory:")
	if err != nil {
		return nil, err
	}
	c := newConn(d)
	defer func() { err = errors.Join(err, c.Close()) }()
	// Both must be set before the first table is created.
	for _, pragma := range []string{"PRAGMA page_size = 4096", "PRAGMA auto_vacuum = INCREMENTAL"} {
		if _, err := c.exec(pragma); err != nil {
			return nil, err
		}
	}
	if err := transact(c, "BEGIN IMMEDIATE", func(c *conn) error { return createSchema(c, o) }); err != nil {
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
		return nil, errors.New("SQLite returned no database image")
	}
	image[offsetVersions], image[offsetVersions+1] = walVersion, walVersion
	return image, nil
}

// unfinished reports a store that an older version of bridge was creating when it was
// killed: an empty database with the journal of its first change. It must be opened for
// writing so that SQLite rolls it back to an empty database.
func unfinished(path string) bool {
	if !journalLeft(path) {
		return false
	}
	var h header
	err := withConn(path, untouched, nil, h.readMarks)
	return err == nil && h.fresh()
}

// journalLeft reports whether a rollback journal lies beside the database. A store has a
// log instead, so the journal belongs to another database, or to another program that was
// killed while it wrote. SQLite copies the journal's pages into the database at the first
// read of a connection that may write, and refuses one that may not.
func journalLeft(path string) bool {
	info, err := os.Stat(path + "-journal")
	return err == nil && info.Size() > 0
}

// foreignJournal names the journal if one lies beside a store that could not be read.
func foreignJournal(path string, err error) error {
	if !journalLeft(path) {
		return err
	}
	return fmt.Errorf("%w: a rollback journal lies beside it (%s-journal), which no store has, so it belongs to another database or program: "+
		"stop all bridge processes, keep a copy of both files, and move the journal away", bridge.ErrStoreDamaged, path)
}

// belongTogether reports, as ErrStoreDamaged, a database file whose log belongs to
// another state of it, such as a copy that was put in place of the database while the
// log was left. SQLite would take the log for the database's own and mix pages of both.
//
// The audit log's chain shows this. The database without the log is an earlier moment
// of the database with its log. All entries recorded in between must be present,
// starting at the entry at which the database alone ends, or at the beginning of the
// log if that entry has been archived. The check runs only if a log was left and no
// process has the store open, and it changes nothing.
func belongTogether(path string) error {
	if !logLeft(path) {
		return nil
	}
	var alone state
	if err := withConn(path, untouched, nil, alone.read); err != nil {
		return nil //nolint:nilerr // a checkpoint was interrupted, which the log repairs
	}
	fits := false
	err := withConn(path, "ro", nil, func(c *conn) error {
		return transact(c, "BEGIN", func(c *conn) (err error) {
			fits, err = alone.leadsTo(c)
			return err
		})
	})
	switch {
	case isDamage(err), err == nil && !fits:
		return fmt.Errorf("%w: %s and its log (%[2]s-wal) do not belong together, as happens if a copy is put beside the log of another state: "+
			"stop all bridge processes and keep both; to use the copy alone, move %[2]s-wal and %[2]s-shm away", bridge.ErrStoreDamaged, path)
	case err != nil:
		return translate(path, err)
	}
	return nil
}

// logLeft reports whether there is a log beside the database although no process has the
// store open.
func logLeft(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0 && !storefile.Running(path)
}

// state identifies a moment of a store.
type state struct {
	id, mac []byte
	seq     int64
}

func (s *state) read(c *conn) error {
	return transact(c, "BEGIN", func(c *conn) error {
		return errors.Join(
			c.get("SELECT id FROM store", nil, &s.id),
			c.get("SELECT seq, mac FROM audit_head", nil, &s.seq, &s.mac))
	})
}

// leadsTo reports whether c is the same store at the same or a later moment.
func (s *state) leadsTo(c *conn) (bool, error) {
	var now, then state
	err := errors.Join(
		c.get("SELECT id FROM store", nil, &now.id),
		c.get("SELECT seq, mac FROM audit_head", nil, &now.seq, &now.mac))
	if err != nil {
		return false, err
	}
	if !bytes.Equal(s.id, now.id) {
		return false, nil
	}
	from, err := auditBase(c)
	if err != nil {
		return false, err
	}
	switch {
	case s.seq < from.Seq: // the entry was archived in between
		s.seq = from.Seq
	case s.seq == from.Seq:
		if !bytes.Equal(from.MAC, s.mac) {
			return false, nil
		}
	default:
		err := c.get("SELECT mac FROM audit_log WHERE seq = ?", []any{s.seq}, &then.mac)
		if errors.Is(err, errNoRow) {
			return false, nil
		}
		if err != nil || !bytes.Equal(then.mac, s.mac) {
			return false, err
		}
	}
	var since int64
	err = c.get("SELECT count(*) FROM audit_log WHERE seq > ?", []any{s.seq}, &since)
	return since == now.seq-s.seq, err
}
