package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations returns the scripts that create the schema, in order.
func migrations() (scripts []string, err error) {
	files, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		script, err := schemaFiles.ReadFile("schema/" + f.Name())
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(script))
	}
	return scripts, nil
}

// SchemaVersion is the version of the schema that this program knows.
func SchemaVersion() int { return knownVersion() }

var knownVersion = sync.OnceValue(func() int {
	scripts, _ := migrations() // embedded: always readable
	return len(scripts)
})

// migrate creates the schema or brings it up to date, in one transaction under a lock.
// If several processes start at the same time, one of them does it; a killed one has
// changed nothing.
func (s *Store) migrate(ctx context.Context, o Options) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	return s.migrateBy(ctx, scripts, o)
}

// fenceOff waits for the operations in progress, and makes others wait until the schema
// has changed. Each operation checks the schema's version first (state.current).
const fenceOff = "LOCK TABLE store_state IN ACCESS EXCLUSIVE MODE"

func (s *Store) migrateBy(ctx context.Context, scripts []string, o Options) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		c.lock(s.schema, "migrate", "")
		version, err := schemaVersion(c, s.schema)
		if err != nil {
			return durable, err
		}
		version, atRest := atrest.Split(version)
		if version >= int64(len(scripts)) {
			return relaxed, nil // up to date, or newer, which checkStore reports
		}
		made := version == 0
		if !made {
			c.later(fenceOff)
		}
		if made {
			if err := checkNew(c, s.schema); err != nil {
				return durable, err
			}
			err := c.script("CREATE SCHEMA IF NOT EXISTS " + pgx.Identifier{s.schema}.Sanitize() + `;
				CREATE TABLE schema_version (version bigint NOT NULL);
				INSERT INTO schema_version VALUES (0)`)
			if err != nil {
				return durable, err
			}
		}
		for ; version < int64(len(scripts)); version++ {
			if err := c.script(scripts[version]); err != nil {
				return durable, fmt.Errorf("migrate the store to schema version %d: %w", version+1, err)
			}
		}
		c.later("UPDATE schema_version SET version = $1", atRest.Mark(version))
		if made {
			identify(c, o.Key)
			if err := sqlstore.PutLimits(c.sql(), bridge.FirstLimits(o.Limits, bridge.LimitMade, time.Now()), o.Limits.Quota); err != nil {
				return durable, err
			}
		}
		return durable, nil
	})
}

// script runs several statements in the transaction.
func (c *conn) script(text string) error {
	_, err := c.pg.PgConn().Exec(c.ctx, text).ReadAll()
	return err
}

// schemaVersion returns 0 if there is no store in the schema. It queries the catalog's
// tables, because to_regclass may answer from a cache that is older than the lock.
func schemaVersion(c *conn, schema string) (version int64, err error) {
	var exists bool
	err = c.get(`
		SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		               WHERE n.nspname = $1 AND c.relname = 'schema_version')`, []any{schema}, &exists)
	if err != nil || !exists {
		return 0, err
	}
	err = c.get("SELECT version FROM "+pgx.Identifier{schema, "schema_version"}.Sanitize(), nil, &version)
	return version, err
}

// identify gives a new store its id, the check value of its key, and an empty log.
func identify(c *conn, key bridge.Key) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	c.later("INSERT INTO store (one, id, key_check, created_at) VALUES (true, $1, $2, $3)", id, bridge.KeyCheck(key, id), time.Now())
	c.later("INSERT INTO audit_head (one, link, seq, mac, seal) VALUES (true, 0, 0, '', $1)", bridge.AuditChain(key).EmptyHead().Seal)
}

// checkStore refuses a store that is missing, that is older or newer than this program,
// or that was made with another key.
func checkStore(c *conn, schema string, key bridge.Key) error {
	version, err := schemaVersion(c, schema)
	if err != nil {
		return err
	}
	latest := int64(SchemaVersion())
	version, _ = atrest.Split(version)
	switch {
	case version == 0:
		return fmt.Errorf("%w in schema %s: `bridge store init` makes one", bridge.ErrStoreMissing, schema)
	case bridge.CheckMoved("", version) != nil:
		return bridge.CheckMoved("", version)
	case version > latest:
		return fmt.Errorf("%w: its schema has version %d, and this program knows only %d", bridge.ErrStoreNewer, version, latest)
	case version < latest:
		return fmt.Errorf("the store has schema version %d, and this program needs %d: run `bridge store init` once to migrate it", version, latest)
	}
	if err := checkOwners(c, schema); err != nil {
		return err
	}
	var encoding string
	if err := c.get("SHOW server_encoding", nil, &encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w: the database has the encoding %s, and must have UTF8", bridge.ErrStoreForeign, encoding)
	}
	var id, check []byte
	err = c.get("SELECT id, key_check FROM store", nil, &id, &check)
	if errors.Is(err, errNoRow) {
		return bridge.ErrStoreDamaged
	}
	if err == nil && !hmac.Equal(check, bridge.KeyCheck(key, id)) {
		return fmt.Errorf("%w: put back the bridge.key that was made with it", bridge.ErrStoreKey)
	}
	return err
}
