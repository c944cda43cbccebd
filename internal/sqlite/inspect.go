package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	sqlite3 "modernc.org/sqlite/lib"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/sqlstore"
)

// LibraryVersion is the version of SQLite.
const LibraryVersion = sqlite3.SQLITE_VERSION

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
func Inspect(path string) (found storefile.Inspection, err error) {
	defer contain(path, &err)
	if err := measure(path, &found); err != nil {
		return found, err
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		found.LogBytes, found.LogReaders = info.Size(), storefile.LogReaders(path)
	}
	if err := recognize(path); err != nil {
		return found, err
	}
	files := found
	err = look(path, func(mode string) error {
		found = files
		return inspectDatabase(path, mode, &found)
	})
	if err == nil && found.SchemaVersion == found.KnownVersion {
		err = belongTogether(path)
	}
	return found, translate(path, err)
}

// look calls at with the mode in which to open the database file at path. Without a log
// there is nothing but the file: opening that alone keeps SQLite from making a log and its
// index, and takes no locks. A process that starts meanwhile writes beside that, and what
// was found may be of no one moment: then at is called again.
func look(path string, at func(mode string) error) error {
	for range 2 { // a process may have started and ended
		if inUse(path) {
			break
		}
		before, missing := os.Stat(path)
		err := at(untouched)
		after, removed := os.Stat(path)
		if missing != nil || removed != nil || !inUse(path) && unchanged(before, after) {
			return err
		}
	}
	return at("ro")
}

// unchanged reports that nobody has written a file between two looks at it, as far as the
// system tells.
func unchanged(before, after os.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// measure looks at the file, and not at what is in it.
func measure(path string, found *storefile.Inspection) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	found.Bytes = info.Size()
	var versions [2]byte
	if _, err := f.ReadAt(versions[:], offsetVersions); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	found.WAL = versions == [2]byte{walVersion, walVersion}
	return nil
}

func inspectDatabase(path, mode string, found *storefile.Inspection) error {
	return withConn(path, mode, safely, func(c *conn) (err error) {
		var h header
		if err := h.readAll(path, c); err != nil {
			return err
		}
		found.SchemaVersion, found.KnownVersion, found.ID, found.KeyCheck = int(h.version), SchemaVersion(), h.id, h.keyCheck
		found.Encrypted, found.Unfinished = h.atRest.Seals(), !h.atRest.Settled()
		if found.Problems, err = quickCheck(c); err != nil || h.version < limitsVersion {
			return err
		}
		report, err := limitReport(c, "")
		found.Limits = &report
		if err != nil || found.SchemaVersion < found.KnownVersion {
			return err
		}
		if found.Ends, err = sealedEnds(c); err != nil {
			return err
		}
		wrong, err := miscounted(c)
		found.Problems = append(found.Problems, wrong...)
		return err
	})
}

// Unopened counts the texts of the store at path that do not open with its key, by table
// and column. It reads all of them, and changes nothing; of a store that is not encrypted,
// or not of this program's version, it counts none. As Inspect it must not be called in a
// process that has the store open.
func Unopened(path string, key auth.Key) (map[string]int64, error) {
	return unopened(path, key, func() {})
}

// unopened calls behind each time it has read a page of a table, outside of a transaction.
func unopened(path string, key auth.Key, behind func()) (found map[string]int64, err error) {
	defer contain(path, &err)
	err = look(path, func(mode string) error {
		found = nil
		return withConn(path, mode, safely, func(c *conn) error {
			var h header
			err := h.readAll(path, c)
			if err != nil || h.atRest == atrest.Off || h.version != int64(SchemaVersion()) {
				return err
			}
			c.cipher.Box = atrest.New(key.Derive)
			found, err = sqlstore.Unopened(func(do func(sqlstore.Conn) error) error {
				defer behind()
				return transact(c, "BEGIN", func(c *conn) error { return inState(path, c, do) })
			}, dialect.AuditKey...)
			return err
		})
	})
	return found, translate(path, err)
}

// inState reads how the texts are kept in the transaction that has begun: the store may be
// converted, or migrated, between one and the next.
func inState(path string, c *conn, do func(sqlstore.Conn) error) error {
	var h header
	if err := h.marksIn(c); err != nil {
		return err
	}
	if err := h.usable(path); err != nil {
		return err
	}
	c.cipher.State = h.atRest
	return do(c.sql())
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

// sealedEnds are the ends of all conversations.
func sealedEnds(c *conn) (all []storefile.End, err error) {
	var end storefile.End
	err = c.each("SELECT id, expires_at, expiry_seal FROM conversations ORDER BY created_at, id", nil, []any{&end.Conversation, &end.At, &end.Seal}, func() error {
		end.Seal = bytes.Clone(end.Seal)
		all = append(all, end)
		return nil
	})
	return all, err
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
