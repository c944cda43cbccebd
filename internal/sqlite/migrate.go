package sqlite

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"modernc.org/sqlite"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/sqlstore"
)

// applicationID marks a database as a bridge store ("brdg").
// https://www.sqlite.org/pragma.html#pragma_application_id
const applicationID = 0x62726467

//go:embed schema/[0-9]*.sql
var schema embed.FS

// latestSchema creates what all scripts together create, in a fifth of the time. A new
// store begins with it. It is derived from the scripts (make golden).
//
//go:embed schema/latest.sql
var latestSchema string

// scriptNames returns the names of the scripts, sorted.
func scriptNames() ([]string, error) { return fs.Glob(schema, "schema/*.sql") }

// migrations returns the scripts, in order. The user_version of a store is the number
// of scripts that have been applied to it.
func migrations() ([]string, error) {
	names, err := scriptNames()
	if err != nil {
		return nil, err
	}
	scripts := make([]string, len(names))
	for i, name := range names {
		script, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts[i] = string(script)
	}
	return scripts, nil
}

// SchemaVersion is the version of the schema that this program writes.
func SchemaVersion() int { return schemaVersion() }

var schemaVersion = sync.OnceValue(func() int {
	names, _ := scriptNames() // embedded: reading cannot fail
	return len(names)
})

// openChecked opens a connection to the store and checks that this program can use the
// store and that it belongs to the key. If the store does not exist, has an older
// schema or needs a closer check, prepareSchema does that first.
func openChecked(ctx context.Context, path string, o Options, openOne func() (*conn, error), t *storefile.Turnstile) (*conn, error) {
	if !isCurrent(path) {
		if err := prepareSchema(ctx, path, o, t); err != nil {
			return nil, translate(path, err)
		}
		return openOne()
	}
	c, err := openOne()
	if err != nil {
		return nil, err
	}
	if err := checkCurrent(path, c, o.Key); err != nil {
		return nil, errors.Join(translate(path, err), c.Close())
	}
	return c, nil
}

// isCurrent reports whether the file is marked as a store with the latest schema and has
// no left-over log or journal, which might belong to another database. Such a store can be
// opened for writing right away, and checkCurrent can read the rest on the same connection.
// A separate connection for the checks would read the whole schema a second time.
func isCurrent(path string) bool {
	h, ok := firstPage(path)
	return ok && h.application == applicationID && h.version == int64(SchemaVersion()) && !logLeft(path) && !journalLeft(path)
}

// checkCurrent checks that c is connected to a store that has the latest schema and
// belongs to the key.
func checkCurrent(path string, c *conn, key bridge.Key) error {
	var h header
	if err := h.readAll(path, c); err != nil {
		return err
	}
	if err := h.usable(path); err != nil {
		return err
	}
	if latest := int64(SchemaVersion()); h.version != latest {
		return fmt.Errorf("%w: its schema version is %d, and was %d just now", bridge.ErrStoreDamaged, h.version, latest)
	}
	return h.checkKey(path, key)
}

// prepareSchema checks that the file is a store that this program can use and that it
// belongs to the key. If o.Create is set it creates the schema or migrates it, one
// process at a time. Any other file is left unchanged.
func prepareSchema(ctx context.Context, path string, o Options, t *storefile.Turnstile) error {
	if err := recognize(path); err != nil {
		return err
	}
	h, err := readHeader(path)
	if err != nil && (!o.Create || !unfinished(path)) {
		return foreignJournal(path, err)
	}
	latest := int64(SchemaVersion())
	switch err := h.usable(path); {
	case err != nil:
		return err
	case h.version == latest:
		return errors.Join(h.checkKey(path, o.Key), belongTogether(path))
	case h.fresh() && !o.Create:
		return fmt.Errorf("%w: %s", bridge.ErrStoreMissing, path)
	case !o.Create:
		return fmt.Errorf("the store %s has schema version %d, and this program needs %d: start `bridge serve` once to migrate it, for example by restarting an agent's client", path, h.version, latest)
	}
	leave, err := t.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := migrate(path, o); err != nil {
		return err
	}
	if h, err = readHeader(path); err != nil {
		return err
	}
	return h.checkKey(path, o.Key)
}

// withConn runs fn on a connection of its own. Only mode "rw" can change the file.
func withConn(path, mode string, pragmas []string, fn func(*conn) error) error {
	d, err := new(sqlite.Driver).Open(dsn(path, mode, append([]string{"busy_timeout(30000)"}, pragmas...)...))
	if err != nil {
		return err
	}
	c := newConn(d)
	return errors.Join(fn(c), c.Close())
}

// migrate brings an existing store up to date in one transaction, so that a process
// killed meanwhile has changed nothing. A database without tables becomes a new store.
func migrate(path string, o Options) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	return migrateBy(path, scripts, o)
}

func migrateBy(path string, scripts []string, o Options) error {
	return withConn(path, "rw", []string{"journal_mode(WAL)", "synchronous(FULL)"}, func(c *conn) error {
		return transact(c, "BEGIN IMMEDIATE", func(c *conn) error {
			var h header
			if err := h.marksIn(c); err != nil {
				return err
			}
			if err := h.usable(path); err != nil {
				return err
			}
			if h.fresh() {
				return createSchema(c, o)
			}
			return applyMigrations(c, scripts, o.Key)
		})
	})
}

// createSchema makes the tables of a new store and its first rows inside the caller's
// transaction.
func createSchema(c *conn, o Options) error {
	if err := c.run(latestSchema + "INSERT INTO quota VALUES (1, 0, 0, 0)"); err != nil {
		return fmt.Errorf("create the tables: %w", err)
	}
	if err := identify(c, o.Key); err != nil {
		return err
	}
	first := bridge.FirstLimits(o.Limits, bridge.LimitMade, time.Now())
	if err := sqlstore.PutLimits(c.sql(), first, o.Limits.Quota); err != nil {
		return err
	}
	return markSchema(c, int64(SchemaVersion()))
}

// applyMigrations brings the schema up to date inside the caller's transaction.
func applyMigrations(c *conn, scripts []string, key bridge.Key) error {
	var version int64
	if err := c.get("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	version, state := atrest.Split(version)
	if version == int64(len(scripts)) {
		return nil // another process was first
	}
	if version < 0 || version > int64(len(scripts)) {
		return fmt.Errorf("%w: its schema is version %d", bridge.ErrStoreDamaged, version)
	}
	for ; version < int64(len(scripts)); version++ {
		if err := c.run(scripts[version]); err != nil {
			return fmt.Errorf("migrate the store to schema version %d: %w", version+1, err)
		}
		if err := complete(c, int(version)+1, key); err != nil {
			return err
		}
	}
	return markSchema(c, state.Mark(version))
}

// markSchema records the version of the schema, and that the file is a store.
func markSchema(c *conn, version int64) error {
	return c.run(fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", version, applicationID))
}

// Versions whose scripts need the program to complete them.
const (
	firstVersion  = 1  // the identity
	limitsVersion = 4  // limits, and fingerprints of tokens
	sealVersion   = 12 // sealed expiries of conversations
)

// archivesVersion is the first version whose log may begin after an archive.
const archivesVersion = 17

// complete does the part of a migration that SQL scripts cannot do.
func complete(c *conn, version int, key bridge.Key) error {
	switch version {
	case firstVersion:
		return identify(c, key)
	case limitsVersion:
		return addLimits(c, key)
	case sealVersion:
		return sealExpiries(c, bridge.NewExpirySealer(key))
	}
	return nil
}

// sealExpiries seals the expiries of the existing conversations.
func sealExpiries(c *conn, ends bridge.ExpirySealer) error {
	seals := map[string][]byte{}
	var id string
	var expiresAt time.Time
	err := c.each("SELECT id, expires_at FROM conversations", nil, []any{&id, &expiresAt}, func() error {
		seals[id] = ends.Seal(id, expiresAt)
		return nil
	})
	if err != nil {
		return err
	}
	for id, seal := range seals {
		if _, err := c.exec("UPDATE conversations SET expiry_seal = ? WHERE id = ?", seal, id); err != nil {
			return err
		}
	}
	return nil
}

// addLimits completes the migration to limitsVersion: an existing store gets the default
// limits, whatever the limits of the process that migrates it.
func addLimits(c *conn, key bridge.Key) error {
	limits := bridge.DefaultLimits()
	first := bridge.FirstLimits(limits, bridge.LimitDefault, time.Now())
	if err := sqlstore.PutLimits(c.sql(), first, limits.Quota); err != nil {
		return err
	}
	return fillPrints(c, bridge.NewPrinter(key))
}

// identify gives a new store its id, the check value of its key, and an empty audit
// log.
func identify(c *conn, key bridge.Key) error {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	_, err := c.exec("INSERT INTO store (one, id, key_check, created_at) VALUES (1, ?, ?, ?)",
		id, bridge.KeyCheck(key, id), time.Now())
	if err != nil {
		return err
	}
	head := bridge.AuditChain(key).EmptyHead()
	_, err = c.exec("INSERT INTO audit_head (one, seq, mac, seal) VALUES (1, 0, x'', ?)", head.Seal)
	return err
}
