package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
)

// Replacement puts one schema in place of another, whose tables are kept under another
// name.
type Replacement struct {
	// DSN names the schema to be replaced, and Fresh the one that takes its name. Both
	// must be in the same database.
	DSN, Fresh string
	// Now is put into the name under which the old schema is kept.
	Now time.Time
	// Timeout is how long to wait for connections of processes that have just ended.
	Timeout time.Duration
}

// asideLength is how many characters of the old schema's name are kept in its new name,
// so that Parse accepts that name.
const asideLength = 15

// aside returns the name under which a schema is kept.
func (r Replacement) aside(schema string) string {
	return schema[:min(len(schema), asideLength)] + "_replaced_" + r.Now.UTC().Format("20060102150405")
}

// inUse counts the connections of bridge processes to a schema. Users without further
// privileges can see the application_name of other users' connections
// (https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW).
// Older programs used "bridge" alone, without the schema.
const inUse = `SELECT count(*) FROM pg_stat_activity
	WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name IN ($1, 'bridge')`

// Run replaces the schema in one transaction, and returns the name under which the old
// one is kept, or "" if there was none. The error is bridge.ErrStoreBusy if another
// process is connected to the old schema. After any error except
// bridge.ErrOutcomeUnknown both schemas are unchanged.
func (r Replacement) Run(ctx context.Context) (aside string, err error) {
	old, err := Parse(r.DSN)
	if err != nil {
		return "", err
	}
	fresh, err := Parse(r.Fresh)
	if err != nil {
		return "", err
	}
	if old.Schema == "public" {
		return "", bridge.Invalid("search_path", "is public, where others may have objects: restore into a schema that does not exist yet")
	}
	own := old.Pool.ConnConfig.Copy()
	own.RuntimeParams["application_name"] = "bridge replaces " + old.Schema
	c, err := pgx.ConnectConfig(ctx, own)
	if err != nil {
		return "", Translate(err)
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(r.Timeout); ; {
		aside, err = r.try(ctx, c, old, fresh.Schema)
		if !errors.Is(err, errInUse) || time.Now().After(end) {
			return aside, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

var errInUse = fmt.Errorf("%w: stop all bridge processes that use it first", bridge.ErrStoreBusy)

func (r Replacement) try(ctx context.Context, c *pgx.Conn, old Config, fresh string) (aside string, err error) {
	tx, err := c.Begin(ctx)
	if err != nil {
		return "", Translate(err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // after a commit this has no effect
		}
	}()
	if aside, err = r.moveAside(ctx, tx, old); err != nil {
		return "", Translate(err)
	}
	if _, err := tx.Exec(ctx, rename(fresh, old.Schema)); err != nil {
		return "", Translate(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return "", fmt.Errorf("%w: %w", bridge.ErrOutcomeUnknown, Translate(err))
	}
	return aside, nil
}

// moveAside renames the old schema if it exists and contains a store.
func (r Replacement) moveAside(ctx context.Context, tx pgx.Tx, old Config) (aside string, err error) {
	tables, err := names(ctx, tx, "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY tablename <> 'store', tablename", old.Schema)
	if err != nil {
		return "", err
	}
	if len(tables) == 0 {
		return "", dropEmpty(ctx, tx, old.Schema)
	}
	for i, table := range tables {
		tables[i] = pgx.Identifier{old.Schema, table}.Sanitize()
	}
	if tables[0] != (pgx.Identifier{old.Schema, "store"}).Sanitize() {
		return "", fmt.Errorf("%w: schema %s holds something else: name one that does not exist yet", bridge.ErrStoreForeign, old.Schema)
	}
	if err := old.unused(ctx, tx); err != nil { // checked before locks make others wait
		return "", err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+strings.Join(tables, ", ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return "", err
	}
	if err := old.unused(ctx, tx); err != nil {
		return "", err
	}
	aside = r.aside(old.Schema)
	_, err = tx.Exec(ctx, rename(old.Schema, aside))
	return aside, err
}

// unused refuses a schema to which a process is connected.
func (c Config) unused(ctx context.Context, tx pgx.Tx) error {
	var connected int
	if err := tx.QueryRow(ctx, inUse, c.applicationName()).Scan(&connected); err != nil {
		return err
	}
	if connected > 0 {
		return fmt.Errorf("schema %s: %w", c.Schema, errInUse)
	}
	return nil
}

func rename(from, to string) string {
	return "ALTER SCHEMA " + pgx.Identifier{from}.Sanitize() + " RENAME TO " + pgx.Identifier{to}.Sanitize()
}

// dropEmpty removes an existing schema without tables. If it contains other objects it
// stays, and that is the error.
func dropEmpty(ctx context.Context, tx pgx.Tx, schema string) error {
	_, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" RESTRICT")
	return err
}

// Grantees returns the roles other than the owner that may use a schema.
func Grantees(ctx context.Context, dsn string) (roles []string, err error) {
	config, err := Parse(dsn)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ConnectConfig(ctx, config.Pool.ConnConfig)
	if err != nil {
		return nil, Translate(err)
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	roles, err = names(ctx, c, `
		SELECT DISTINCT r.rolname::text FROM pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE n.nspname = $1 AND a.privilege_type = 'USAGE' AND a.grantee <> n.nspowner ORDER BY 1`, config.Schema)
	return roles, Translate(err)
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// names returns a column of texts.
func names(ctx context.Context, from querier, query string, args ...any) ([]string, error) {
	rows, err := from.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
