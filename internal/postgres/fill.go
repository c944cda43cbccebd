package postgres

import (
	"context"
	"errors"

	"example.org/bridge/internal/postgres/server"
)

// Rows reads the rows that a query gives. NULL is nil; all else is an int64, a
// float64, a bool, a string or a []byte. visit must not keep row, and not use the store.
type Rows = func(query string, columns int, visit func(row []any) error) error

// Exec carries out a statement, or sends it with the next one.
type Exec = func(query string, args ...any) error

// ErrNotEmpty reports a store that holds something already.
var ErrNotEmpty = errors.New("the store holds something already")

// sendEvery is how many statements of Fill go together.
const sendEvery = 200

// Snapshot lets fn read the store as it is at one moment, while others write.
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

// Fill lets fn fill a store that holds nothing, in one transaction in which nobody else
// uses it. The error is ErrNotEmpty for one that holds something; after any error the
// store is as it was.
func (s *Store) Fill(ctx context.Context, fn func(Rows, Exec) error) error {
	err := s.try(ctx, "BEGIN", func(c *conn) (durability, error) {
		c.lock(s.schema, "spine", "") // as who extends the spine: it comes before the tables
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

// send sends what is pending, and waits for it.
func (c *conn) send() (err error) {
	results, err := c.flush()
	defer func() { err = errors.Join(err, results.close()) }()
	if err == nil {
		_, err = results.batch.Exec()
	}
	return err
}
