package postgres

import (
	"context"
	"errors"

	"example.org/bridge/internal/postgres/server"
)

// Rows reads the rows of a query. NULL becomes nil; any other value is an int64, a
// float64, a bool, a string or a []byte. visit must not keep row and must not use the
// store.
type Rows = func(query string, columns int, visit func(row []any) error) error

// Exec runs a statement, or sends it with the next one.
type Exec = func(query string, args ...any) error

// ErrNotEmpty reports a store that already holds something.
var ErrNotEmpty = errors.New("the store holds something already")

// sendEvery is how many statements Fill sends at a time.
const sendEvery = 200

// Snapshot lets fn read the store as of one moment while others write.
func (s *Store) Snapshot(ctx context.Context, fn func(Rows) error) error {
	return s.read(ctx, func(c *conn) error { return fn(c.rows()) })
}

func (c *conn) rows() Rows {
	return func(query string, columns int, visit func(row []any) error) error {
		row, dest := make([]any, columns), make([]any, columns)
		for i := range row {
			dest[i] = &row[i]
		}
		return c.each(query, nil, dest, func() error { return visit(row) })
	}
}

// Fill lets fn fill an empty store in one transaction, during which nobody else can use
// it. The error is ErrNotEmpty if the store holds something. After any error the store
// is unchanged.
func (s *Store) Fill(ctx context.Context, fn func(Rows, Exec) error) error {
	err := s.try(ctx, "BEGIN", func(c *conn) (durability, error) {
		c.lock(s.schema, "spine", "") // the lock for extending the spine, which is taken before table locks
		c.later("LOCK TABLE store, store_state, conversations, audit_chains, audit_head IN ACCESS EXCLUSIVE MODE")
		var used bool
		err := c.get("SELECT EXISTS (SELECT 1 FROM audit_log) OR EXISTS (SELECT 1 FROM conversations) OR EXISTS (SELECT 1 FROM tasks)", nil, &used)
		if err != nil {
			return durable, err
		}
		if used {
			return durable, ErrNotEmpty
		}
		exec := func(query string, args ...any) error {
			if c.later(query, args...); c.pending.Len() < sendEvery {
				return nil
			}
			return c.send()
		}
		if err := fn(c.rows(), exec); err != nil {
			return durable, err
		}
		return durable, nil
	})
	return server.Translate(err)
}

// send sends the pending statements and waits for the answers.
func (c *conn) send() (err error) {
	results, err := c.flush()
	defer func() { err = errors.Join(err, results.close()) }()
	if err == nil {
		_, err = results.batch.Exec()
	}
	return err
}
