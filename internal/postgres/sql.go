package postgres

import (
	"strings"
	"sync"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/sqlstore"
)

// sql is the connection for the statements that all stores share.
func (c *conn) sql() sqlstore.Conn { return statements{c} }

// statements runs the statements of package sqlstore. What nobody waits for goes to the
// server with the next that somebody does.
type statements struct{ *conn }

// Get implements sqlstore.Conn.
func (s statements) Get(query string, args []any, dest ...any) error {
	return s.get(dollars(query), args, dest...)
}

// Each implements sqlstore.Conn.
func (s statements) Each(query string, args, dest []any, visit func() error) error {
	return s.each(dollars(query), args, dest, visit)
}

// Opener implements sqlstore.Conn.
func (s statements) Opener() atrest.Cipher {
	c := atrest.Cipher{Box: s.box}
	if s.state != nil {
		c.State = *s.state
	}
	return c
}

// Cipher implements sqlstore.Conn.
func (s statements) Cipher() (atrest.Cipher, error) { return s.cipher() }

// selectVersion reads the version of the schema, and with it the state of the store's texts.
// It locks the tables in the order in which who writes locks them: no reader holds
// schema_version while it waits for store_state (see alone).
const selectVersion = "SELECT v.version FROM store_state h RIGHT JOIN schema_version v ON true"

// learn reads the state with the first statement of a transaction, before which it is
// called, without a round trip of its own.
func (c *conn) learn() {
	var version int64
	c.laterEach(selectVersion, nil, []any{&version}, func() error {
		_, state := atrest.Split(version)
		c.state = &state
		return nil
	})
}

// cipher is how texts are written. Operations know their store's state (state.current);
// for what is none it is read.
func (c *conn) cipher() (atrest.Cipher, error) {
	if c.state == nil {
		version, err := schemaVersion(c, c.schema)
		if err != nil {
			return atrest.Cipher{}, err
		}
		_, state := atrest.Split(version)
		c.state = &state
	}
	return atrest.Cipher{Box: c.box, State: *c.state}, nil
}

// Later implements sqlstore.Conn.
func (s statements) Later(query string, args ...any) error {
	s.later(dollars(query), args...)
	return nil
}

// written are the statements that were asked for, as PostgreSQL takes them. There are as
// many as the program has.
var written sync.Map

// dollars writes the parameters of a statement as PostgreSQL does: ?1 is $1. No
// statement has a question mark for anything else.
func dollars(query string) string {
	if kept, ok := written.Load(query); ok {
		return kept.(string)
	}
	text := strings.ReplaceAll(query, "?", "$")
	written.Store(query, text)
	return text
}
