package sqlite

import (
	"context"
	"os"
	"regexp"
	"time"

	"example.org/bridge/internal/auth"
)

// SetTurnTimeout sets how long the store's writers wait for their turn.
func (s *Store) SetTurnTimeout(d time.Duration) { s.write.turnstile.Timeout = d }

// FlushesFully reports whether the writer's connection uses F_FULLFSYNC.
func (s *Store) FlushesFully() (bool, error) {
	for _, pragma := range []string{"PRAGMA fullfsync", "PRAGMA checkpoint_fullfsync"} {
		var on int64
		if err := s.write.conn.get(pragma, nil, &on); err != nil || on != 1 {
			return false, err
		}
	}
	return true, nil
}

// Plans returns the query plan of every statement that the store has prepared so far,
// keyed by the statement's text.
func (s *Store) Plans() (map[string][]string, error) {
	plans := map[string][]string{}
	for _, c := range []*conn{s.write.conn, s.read.conn} {
		queries := make([]string, 0, len(c.stmts))
		for query := range c.stmts {
			queries = append(queries, query)
		}
		for _, query := range queries {
			var id, parent, unused int64
			var detail string
			explain := "EXPLAIN QUERY PLAN " + parameter.ReplaceAllString(query, "1")
			err := c.each(explain, nil, []any{&id, &parent, &unused, &detail}, func() error {
				plans[query] = append(plans[query], detail)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return plans, nil
}

// HistoryPlan returns the plan of reading a page of history in a conversation of more
// than two.
func (s *Store) HistoryPlan() (plan []string, err error) {
	var id, parent, unused int64
	var detail string
	err = s.read.do(context.Background(), func(c *conn) error {
		return c.each("EXPLAIN QUERY PLAN "+parameter.ReplaceAllString(selectHistory, "1"), nil, []any{&id, &parent, &unused, &detail}, func() error {
			plan = append(plan, detail)
			return nil
		})
	})
	return plan, err
}

// parameter matches a parameter of a statement. No string literal in the statements
// looks like one.
var parameter = regexp.MustCompile(`\?\d*`)

// CreateVersion makes a store of an earlier schema in the file at path.
func CreateVersion(path string, key auth.Key, version int) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return withConn(path, "rw", []string{"journal_mode(WAL)"}, func(c *conn) error {
		return applyMigrations(c, scripts[:version], key)
	})
}

// ExecFile runs statements on the database file at path.
func ExecFile(path string, queries ...string) error {
	return withConn(path, "rw", nil, func(c *conn) error {
		for _, query := range queries {
			if _, err := c.exec(query); err != nil {
				return err
			}
		}
		return nil
	})
}

// Connect opens a connection as the store does.
var Connect = connectModernc

// Setting reads a setting of a connection opened to inspect an unchecked file.
func Setting(path, name string) (value int64, err error) {
	err = withConn(path, untouched, safeSettings, func(c *conn) error { return c.get("PRAGMA "+name, nil, &value) })
	return value, err
}

// SchemaDigest returns the digest of everything that the scripts up to a version
// create.
func SchemaDigest(version int) (string, error) {
	made, err := expectedObjects(version)
	return made.digest(), err
}

// UnopenedBeside is Unopened with a function that is called between its transactions.
var UnopenedBeside = unopened

// KnownDigest returns the digest recorded for a version.
var KnownDigest = knownDigest

// MigrateAndFail migrates a store with all scripts and one more that fails at its end.
func MigrateAndFail(path string, o Options) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	return migrateBy(path, append(scripts, "CREATE TABLE half (a); INSERT INTO half VALUES (1); DELETE FROM messages; SELECT a FROM nowhere"), o)
}

// SchemaAfter returns the statements of everything that the scripts up to a version
// create, in the order of creation, as SQLite keeps them.
func SchemaAfter(version int) (text string, err error) {
	scripts, err := migrations()
	if err != nil {
		return "", err
	}
	err = withConn(":memory:", "memory", nil, func(c *conn) error {
		if err := applyMigrations(c, scripts[:version], auth.Key{}); err != nil {
			return err
		}
		var statement string
		return c.each("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid", nil, []any{&statement}, func() error {
			text += statement + ";\n"
			return nil
		})
	})
	return text, err
}
