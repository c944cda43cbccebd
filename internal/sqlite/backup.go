package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// CopyTo writes the store's content to a new file at path while other processes
// continue to read and write. The copy holds everything that was acknowledged before
// the call. The file is synced, but not its directory entry.
func (s *Store) CopyTo(path string) (err error) {
	defer contain(s.path, &err)
	// SQLite would create it with the permissions that the umask leaves.
	if err := (privatefile.Write{New: true}).File(path, nil); err != nil {
		return storefile.Unwritable(err)
	}
	c, err := open(s.path, connectModernc)
	if err != nil {
		return err
	}
	_, err = c.exec("VACUUM INTO ?", path)
	if err := errors.Join(err, c.Close()); err != nil {
		return translate(path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	// SQLite leaves the copy in rollback-journal mode and does not sync it.
	_, err = f.WriteAt([]byte{walVersion, walVersion}, offsetVersions)
	return errors.Join(err, f.Sync(), f.Close())
}

// Examine reads the whole of a store that no process has open and that has no log
// beside it. It checks that SQLite finds it sound, that it was made with key, and that
// its audit log is intact. It changes nothing. The error is one of the bridge.ErrStore…
// errors, or wraps an audit.Fault.
func Examine(ctx context.Context, path string, key bridge.Key) (found storefile.Contents, err error) {
	defer contain(path, &err)
	err = withConn(path, untouched, append([]string{"foreign_keys(ON)"}, safeSettings...), func(c *conn) error {
		c.cipher.Box = atrest.New(key.Derive)
		var h header
		if err := errors.Join(h.readAll(path, c), h.usable(path)); err != nil {
			return err
		}
		if h.fresh() {
			return fmt.Errorf("%w: %s", bridge.ErrStoreForeign, path)
		}
		if err := h.checkKey(path, key); err != nil {
			return err
		}
		if err := sound(c); err != nil {
			return err
		}
		if found, err = contents(c, h); err != nil {
			return err
		}
		return verifyLog(ctx, c, h.version, bridge.AuditChain(key), found.Head)
	})
	return found, translate(path, err)
}

// sound runs SQLite's full check of pages, indexes and references.
func sound(c *conn) error {
	var said, table string
	for _, check := range []struct {
		query  string
		dest   []any
		refuse func() string
	}{
		{"PRAGMA integrity_check(1)", []any{&said}, func() string { return said }},
		{`SELECT "table" FROM pragma_foreign_key_check LIMIT 1`, []any{&table}, func() string { return table + " refers to a missing row" }},
	} {
		err := c.each(check.query, nil, check.dest, func() error {
			if wrong := check.refuse(); wrong != "ok" {
				return fmt.Errorf("%w: %s", bridge.ErrStoreDamaged, strings.ReplaceAll(wrong, "\n", " "))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func contents(c *conn, h header) (found storefile.Contents, err error) {
	found = storefile.Contents{SchemaVersion: int(h.version), ID: h.id}
	err = errors.Join(
		c.get("SELECT (SELECT count(*) FROM conversations), count(*), coalesce(max(id), 0) FROM messages", nil,
			&found.Conversations, &found.Messages, &found.LastMessage),
		c.get("SELECT seq, mac, seal FROM audit_head", nil, &found.Head.Seq, &found.Head.MAC, &found.Head.Seal),
	)
	return found, err
}

// verifyLog verifies the audit log of a store of any schema version.
func verifyLog(ctx context.Context, c *conn, version int64, chain audit.Chain, head audit.Head) (err error) {
	v := chain.Verifier()
	var base audit.Base
	if version >= archivesVersion {
		if base, err = auditBase(c); err != nil {
			return err
		}
	}
	if err := v.Begin(base); err != nil {
		return err
	}
	err = eachEntry(c, "ORDER BY seq", nil, func(e audit.Entry) error { return errors.Join(ctx.Err(), v.Next(e)) })
	if err != nil {
		return err
	}
	return v.End(head)
}

// Later describes what a store holds that an earlier copy of it does not.
type Later struct {
	// Same reports that the copy is an earlier state of this store: the entry at which
	// the copy's audit log ends is in the store's log, or in an archive. If it is
	// false, the other fields are zero.
	Same bool
	// Audit log entries and messages added after the copy was made.
	Entries, Messages int64
}

// Since compares the store with an earlier copy of it.
func (s *Store) Since(ctx context.Context, copied storefile.Contents) (later Later, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		var id, mac []byte
		if err := c.get("SELECT id FROM store", nil, &id); err != nil || !bytes.Equal(id, copied.ID) {
			return err
		}
		base, err := auditBase(c)
		if err != nil {
			return err
		}
		err = c.get("SELECT mac FROM audit_log WHERE seq = ?", []any{copied.Head.Seq}, &mac)
		switch {
		case copied.Head.Seq < base.Seq:
			later.Same = true // that entry has been archived
		case copied.Head.Seq == base.Seq:
			later.Same = bytes.Equal(base.MAC, copied.Head.MAC)
		case errors.Is(err, errNoRow): // the copy was written to after it was made
		case err != nil:
			return err
		default:
			later.Same = bytes.Equal(mac, copied.Head.MAC)
		}
		if !later.Same {
			return nil
		}
		return errors.Join(
			c.get("SELECT seq - ? FROM audit_head", []any{copied.Head.Seq}, &later.Entries),
			c.get("SELECT count(*) FROM messages WHERE id > ?", []any{copied.LastMessage}, &later.Messages),
		)
	})
	return later, err
}

// Rows reads the rows of a query. NULL becomes nil; any other value is an int64, a
// float64, a string or a []byte. visit must not keep row and must not use the store.
type Rows = func(query string, columns int, visit func(row []any) error) error

// Exec runs a statement.
type Exec = func(query string, args ...any) error

// Snapshot lets fn read the store as of one moment while others write.
func (s *Store) Snapshot(ctx context.Context, fn func(Rows) error) error {
	return s.read.do(ctx, func(c *conn) error { return fn(c.rows(ctx)) })
}

func (c *conn) rows(ctx context.Context) Rows {
	return func(query string, columns int, visit func(row []any) error) error {
		row, dest := make([]any, columns), make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		return c.each(query, nil, dest, func() error { return errors.Join(ctx.Err(), visit(row)) })
	}
}

// Fill creates a store at path and lets fn fill it in one transaction. There must be no
// store at path, and no other process may use it. The file is synced, but not its
// directory entry. If Fill returns an error, the file at path is not a usable store.
func Fill(ctx context.Context, path string, o Options, fn func(Rows, Exec) error) error {
	if err := create(path, o); err != nil {
		return err
	}
	c, err := open(path, connectModernc)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) error {
		_, err := c.exec(query, args...)
		return err
	}
	err = transact(c, "BEGIN IMMEDIATE", func(c *conn) error { return fn(c.rows(ctx), exec) })
	if err == nil {
		_, err = c.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return translate(path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Move lets copyAll read the store while nobody else writes, and marks the store as
// moved when copyAll succeeds. From then on every process refuses it with
// bridge.ErrStoreMoved. op is recorded. After an error the store is still in use as
// before, unless the error is bridge.ErrOutcomeUnknown.
func (s *Store) Move(ctx context.Context, op bridge.Operation, copyAll func(Rows) error) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		if err := copyAll(e.rows(ctx)); err != nil {
			return err
		}
		return setVersion(e.conn, e.cipher.State.Mark(bridge.MovedVersion(int64(SchemaVersion()))))
	})
}

// Reopen puts a moved store back into use. op is recorded. The error is
// bridge.ErrStoreNotMoved if the store is not marked as moved.
func Reopen(ctx context.Context, path string, o Options, op bridge.Operation) (err error) {
	defer contain(path, &err)
	if err := storefile.CheckFiles(path, false); err != nil {
		return err
	}
	err = withConn(path, "rw", safeSettings, func(c *conn) error {
		return transact(c, "BEGIN IMMEDIATE", func(c *conn) error { return unmove(path, c, o.Key) })
	})
	if err != nil {
		return translate(path, err)
	}
	s, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.operate(ctx, op, durable, func(*entry) error { return nil })
}

// unmove removes the mark from a store that belongs to the key.
func unmove(path string, c *conn, key bridge.Key) error {
	var h header
	if err := c.get("PRAGMA application_id", nil, &h.application); err != nil {
		return err
	}
	if err := c.get("PRAGMA user_version", nil, &h.version); err != nil {
		return err
	}
	h.version, h.atRest = atrest.Split(h.version)
	if h.application != applicationID {
		return h.usable(path)
	}
	before, moved := bridge.UnmovedVersion(h.version)
	if !moved {
		return fmt.Errorf("%w: %s", bridge.ErrStoreNotMoved, path)
	}
	h.version = before
	if err := h.usable(path); err != nil {
		return err
	}
	if err := checkObjects(path, c, int(before)); err != nil {
		return err
	}
	if err := c.get("SELECT id, key_check FROM store", nil, &h.id, &h.keyCheck); err != nil {
		return err
	}
	return errors.Join(h.checkKey(path, key), setVersion(c, h.atRest.Mark(before)))
}

func setVersion(c *conn, version int64) error {
	_, err := c.exec(fmt.Sprintf("PRAGMA user_version = %d", version))
	return err
}
