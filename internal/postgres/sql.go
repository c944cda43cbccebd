package postgres

import (
	"strings"
	"sync"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/sqlstore"
)

// sql returns the connection as package sqlstore uses it.
func (c *conn) sql() sqlstore.Conn { return statements{c} }

// statements runs the statements of package sqlstore. Those whose result is not needed
// are sent with the next one whose result is.
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

// selectVersion reads the version of the schema, which includes the state of the
// store's texts. It locks the tables in the same order as writers do, so that no reader
// holds schema_version while it waits for store_state (see alone).
const selectVersion = "SELECT v.version FROM store_state h RIGHT JOIN schema_version v ON true"

// learn queues a query of the state, to be sent with the first statement of a
// transaction without an extra round trip. It must be called before that statement.
func (c *conn) learn() {
	var version int64
	c.laterEach(selectVersion, nil, []any{&version}, func() error {
		_, state := atrest.Split(version)
		c.state = &state
		return nil
	})
}

// cipher returns how texts are written. Operations have already read the state
// (state.current); other transactions read it here.
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

// written caches the translated statements. Their number is bounded, because they are
// constants of the program.
var written sync.Map

// dollars converts the parameters of a statement to PostgreSQL's form: ?1 becomes $1.
// No statement contains a question mark for any other purpose.
func dollars(query string) string {
	if kept, ok := written.Load(query); ok {
		return kept.(string)
	}
	text := strings.ReplaceAll(query, "?", "$")
	written.Store(query, text)
	return text
}
