package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lazyregexp"
)

// DefaultSchema is the schema of the store unless the connection string names another.
const DefaultSchema = "bridge"

// Config is a parsed connection string.
type Config struct {
	// Host, Port, Database and User identify the store to people. They contain no
	// secret.
	Host, Database, User string
	Port                 uint16
	// Schema is the schema that contains the store's tables.
	Schema string

	// Pool configures the connections.
	Pool *pgxpool.Config
}

// IsURL reports whether the name of a store is a connection string.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

var schemaName = lazyregexp.New(`^[a-z_][a-z0-9_]{0,39}$`)

// Parse parses a connection string such as postgres://user@host/database. Settings that
// it omits come from the environment variables and files that PostgreSQL's own programs
// read (PGHOST, PGPASSFILE, ~/.pgpass). search_path names the schema. The error never
// repeats the string, because it may contain a password.
func Parse(dsn string) (Config, error) {
	p, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return Config{}, bridge.Invalid("the connection string", "cannot be read: write it as postgres://USER@HOST/DATABASE")
	}
	c := Config{Host: p.ConnConfig.Host, Port: p.ConnConfig.Port, Database: p.ConnConfig.Database, User: p.ConnConfig.User, Schema: DefaultSchema, Pool: p}
	settings := p.ConnConfig.RuntimeParams
	if path := settings["search_path"]; path != "" {
		c.Schema = path
	}
	if !schemaName().MatchString(c.Schema) {
		return Config{}, bridge.Invalid("search_path", "must name one schema, of lower-case letters, digits and underscores")
	}
	// The schema of temporary tables must be listed last: if it is not listed, it is
	// searched first.
	settings["search_path"] = c.Schema + ", pg_temp"
	for name, value := range map[string]string{
		"lock_timeout":                        "30s",
		"statement_timeout":                   "0",
		"idle_in_transaction_session_timeout": "60s", // a client that is gone keeps no lock
	} {
		if settings[name] == "" {
			settings[name] = value
		}
	}
	settings["application_name"] = c.applicationName()
	p.ConnConfig.ConnectTimeout = 10 * time.Second
	p.AfterConnect = prepareConnection
	if !strings.Contains(dsn, "pool_max_conns") {
		p.MaxConns = maxConns
	}
	p.MaxConns = max(p.MaxConns, minConns)
	return c, nil
}

// applicationName returns the application_name of each connection to the schema, by
// which others find out whether a process uses it.
func (c Config) applicationName() string { return "bridge in " + c.Schema }

// String identifies the store to people.
func (c Config) String() string {
	return fmt.Sprintf("postgres://%s@%s/%s (schema %s)", c.User, c.Address(), c.Database, c.Schema)
}

// Maximum number of connections of a store, unless the connection string sets
// pool_max_conns. Each operation holds one until its commit is on the server's disk,
// and one flush serves all that wait for it. Connections are opened as needed.
const (
	maxConns = 16
	minConns = 4
)

// usualPort is PostgreSQL's default port, which Address omits.
const usualPort = 5432

// Address returns the server's host, with its port if that is not the default, because
// two servers on one machine are not the same.
func (c Config) Address() string {
	if c.Port == usualPort {
		return c.Host
	}
	return fmt.Sprintf("%s:%d", c.Host, c.Port)
}

// prepareConnection makes sure that a commit is on the disk when it is acknowledged,
// since an administrator may have set another default.
func prepareConnection(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}
