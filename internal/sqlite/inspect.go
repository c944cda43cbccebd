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
// that this program can use. It needs no key and changes nothing. If it cannot tell, it
// accepts the file.
func Identify(path string) (err error) {
	defer contain(path, &err)
	return recognize(path)
}

// Inspect examines the store at path and changes nothing. It must not be called in a
// process that has the store open: it opens the database file itself, and closing that
// would drop SQLite's locks.
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

// look calls at with the mode in which to open the database file at path. If there is
// no log, everything is in the database file; opening only that file keeps SQLite from
// creating a log and its index, and takes no locks. If a process wrote meanwhile, the
// result may mix two states, and at is called again.
func look(path string, at func(mode string) error) error {
	for range 2 { // a process may have started and exited
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

// unchanged reports whether nobody has written to a file between two calls of Stat, as
// far as size and times show.
func unchanged(before, after os.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// measure examines the file itself and not its content.
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
	return withConn(path, mode, safeSettings, func(c *conn) (err error) {
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

// Unopened counts the texts of the store at path that do not open with its key, by
// table and column. It reads all texts and changes nothing. A store that is not
// encrypted, or has a schema version other than this program's, counts as having none.
// Like Inspect it must not be called in a process that has the store open.
func Unopened(path string, key auth.Key) (map[string]int64, error) {
	return unopened(path, key, func() {})
}

// unopened is Unopened. It calls afterPage after each page of a table that it has read,
// outside of a transaction.
func unopened(path string, key auth.Key, afterPage func()) (found map[string]int64, err error) {
	defer contain(path, &err)
	err = look(path, func(mode string) error {
		found = nil
		return withConn(path, mode, safeSettings, func(c *conn) error {
			var h header
			err := h.readAll(path, c)
			if err != nil || h.atRest == atrest.Off || h.version != int64(SchemaVersion()) {
				return err
			}
			c.cipher.Box = atrest.New(key.Derive)
			found, err = sqlstore.Unopened(func(do func(sqlstore.Conn) error) error {
				defer afterPage()
				return transact(c, "BEGIN", func(c *conn) error { return inState(path, c, do) })
			}, dialect.AuditKey...)
			return err
		})
	})
	return found, translate(path, err)
}

// inState calls do with the encryption state as of the current transaction. The store
// may have been converted or migrated since the last one.
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

// miscounted compares stored unread counts with the messages that they count.
func miscounted(c *conn) (problems []string, err error) {
	var conversation, sender, recipient string
	var kept, counted int64
	err = c.each(wrongUnread, nil, []any{&conversation, &sender, &recipient, &kept, &counted}, func() error {
		problems = append(problems, fmt.Sprintf("%s: %d messages from %s to %s are unread, but the table flows says %d", conversation, counted, sender, recipient, kept))
		return nil
	})
	return problems, err
}

// sealedEnds returns the expiries of all conversations.
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

// inUse reports whether the database has a log or an index of one.
func inUse(path string) bool {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return true
	}
	_, err := os.Stat(path + "-shm")
	return err == nil
}
