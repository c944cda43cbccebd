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
	// Without a log there is nothing but the file: inspecting that alone keeps
	// SQLite from making a log and its index. A process that starts just now
	// makes them, and then the look is taken again.
	quiet := !inUse(path)
	err = inspectDatabase(path, quiet, &found)
	if quiet && inUse(path) {
		err = inspectDatabase(path, false, &found)
	}
	if err == nil && found.SchemaVersion == found.KnownVersion {
		err = belongTogether(path)
	}
	return found, translate(path, err)
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

func inspectDatabase(path string, quiet bool, found *storefile.Inspection) error {
	mode := "ro"
	if quiet {
		mode = untouched
	}
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
func Unopened(path string, key auth.Key) (found map[string]int64, err error) {
	defer contain(path, &err)
	mode := "ro"
	if !inUse(path) {
		mode = untouched
	}
	err = withConn(path, mode, safely, func(c *conn) error {
		var h header
		if err := h.readAll(path, c); err != nil || h.atRest == atrest.Off || h.version != int64(SchemaVersion()) {
			return err
		}
		c.cipher = atrest.Cipher{Box: atrest.New(key.Derive), State: h.atRest}
		var err error
		found, err = sqlstore.Unopened(func(do func(sqlstore.Conn) error) error {
			return transact(c, "BEGIN", func(c *conn) error { return do(c.sql()) })
		}, dialect.AuditKey...)
		return err
	})
	return found, translate(path, err)
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
