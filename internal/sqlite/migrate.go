package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
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

// applicationID marks a database as a store of the bridge ("brdg").
// https://www.sqlite.org/pragma.html#pragma_application_id
const applicationID = 0x62726467

//go:embed schema/*.sql
var schema embed.FS

// scriptNames returns the names of the scripts, sorted.
func scriptNames() ([]string, error) { return fs.Glob(schema, "schema/*.sql") }

// migrations returns the scripts, in order. The user_version of a store is the
// number of those that it has seen.
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

// openChecked opens a connection to a store that this program can use and that fits the
// key. What needs to be made, migrated or looked at more closely is so before.
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

// isCurrent reports whether the file says of itself that it is a store with the latest
// schema, and no log was left beside it that could be another's. A program may open it
// for writing at once, and checkCurrent can read the rest by the same connection: one that
// is opened only to check would read the whole schema a second time.
func isCurrent(path string) bool {
	h, ok := firstPage(path)
	return ok && h.application == applicationID && h.version == int64(SchemaVersion()) && !logLeft(path)
}

// checkCurrent checks that c is of a store with the latest schema that fits the key.
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

// prepareSchema checks that the file is a store that this program can use and
// that fits the key. It makes or migrates it where o.Create allows that, one
// process at a time. Any other file it leaves as it is.
func prepareSchema(ctx context.Context, path string, o Options, t *storefile.Turnstile) error {
	if err := recognize(path); err != nil {
		return err
	}
	h, err := readHeader(path)
	if err != nil && (!o.Create || !unfinished(path)) {
		return err
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
		return fmt.Errorf("the store %s has schema version %d of %d: start `bridge serve` once to migrate it, as an agent's client does that is restarted", path, h.version, latest)
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

// withConn runs fn on a connection of its own. Only mode "rw" may change the file.
func withConn(path, mode string, pragmas []string, fn func(*conn) error) error {
	d, err := new(sqlite.Driver).Open(dsn(path, mode, append([]string{"busy_timeout(30000)"}, pragmas...)...))
	if err != nil {
		return err
	}
	c := newConn(d)
	return errors.Join(fn(c), c.Close())
}

// migrate brings a store that is there up to date. It is one transaction: a
// process that is killed meanwhile has done nothing.
func migrate(path string, o Options) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	return migrateBy(path, scripts, o)
}

func migrateBy(path string, scripts []string, o Options) error {
	return withConn(path, "rw", []string{"journal_mode(WAL)", "synchronous(FULL)"}, func(c *conn) error {
		return transact(c, "BEGIN IMMEDIATE", func(c *conn) error { return applyMigrations(c, scripts, o) })
	})
}

// applyMigrations brings the schema up to date, inside the caller's transaction.
func applyMigrations(c *conn, scripts []string, o Options) error {
	var version int64
	if err := c.get("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	version, state := atrest.Split(version)
	if version == int64(len(scripts)) {
		return nil // another process was quicker
	}
	if version < 0 || version > int64(len(scripts)) {
		return fmt.Errorf("%w: its schema is version %d", bridge.ErrStoreDamaged, version)
	}
	made := version == 0
	for ; version < int64(len(scripts)); version++ {
		if _, err := c.driver.(driver.ExecerContext).ExecContext(context.Background(), scripts[version], nil); err != nil {
			return fmt.Errorf("migrate the store to schema version %d: %w", version+1, err)
		}
		if version == 0 {
			if err := identify(c, o.Key); err != nil {
				return err
			}
		}
		if err := complete(c, int(version)+1, o, made); err != nil {
			return err
		}
	}
	_, err := c.driver.(driver.ExecerContext).ExecContext(context.Background(),
		fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", state.Mark(version), applicationID), nil)
	return err
}

// Versions whose scripts leave something to be done by the program.
const (
	limitsVersion = 4  // limits, and fingerprints of tokens
	sealVersion   = 12 // sealed ends of conversations
)

// archivesVersion is the first of which the log may begin behind archives.
const archivesVersion = 17

// complete does what the script of a version cannot.
func complete(c *conn, version int, o Options, made bool) error {
	switch version {
	case limitsVersion:
		return addLimits(c, o, made)
	case sealVersion:
		return sealExpiries(c, bridge.NewExpirySealer(o.Key))
	}
	return nil
}

// sealExpiries seals the ends of the conversations that are there.
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

// addLimits completes the migration to limitsVersion. A store that was made
// before keeps its own limits, whoever migrates it: the default ones.
func addLimits(c *conn, o Options, made bool) error {
	limits, by := bridge.DefaultLimits(), bridge.LimitDefault
	if made {
		limits, by = o.Limits, bridge.LimitMade
	}
	if err := sqlstore.PutLimits(c.sql(), bridge.FirstLimits(limits, by, time.Now()), limits.Quota); err != nil {
		return err
	}
	return fillPrints(c, bridge.NewPrinter(o.Key))
}

// identify gives a new store its identity, the mark of its key, and an empty
// audit log.
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
