package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/sqlstore"
)

// conn is a connection inside a transaction. Statements whose result is not needed
// (later) are sent together with the next statement whose result is, so that an
// operation takes few round trips. It is not safe for concurrent use.
type conn struct {
	pg      *pgx.Conn
	ctx     context.Context //nolint:containedctx // a conn lives as long as one operation, whose context it is
	pending *pgx.Batch
	readers []reader // of the pending statements, in their order
	visited bool     // a row was passed to a caller's visit function
	schema  string
	box     *atrest.Box
	state   *atrest.State // of this transaction; nil until known
}

// reader reads the rows of a statement that is sent with a later one.
type reader struct {
	at    int // position in the batch
	dest  []any
	visit func() error
}

// errNoRow reports that a query returned no row.
var errNoRow = sqlstore.ErrNoRow

// errStop ends each early, without an error.
var errStop = sqlstore.ErrStop

// later sends a statement together with the next one whose result is awaited. That call
// also returns its error.
func (c *conn) later(query string, args ...any) {
	if c.pending == nil {
		c.pending = &pgx.Batch{}
	}
	c.pending.Queue(query, bind(args)...)
}

// laterEach is each for a statement that is sent together with the next one whose
// result is awaited. Its rows are read before those of that statement. visit must not
// use the connection.
func (c *conn) laterEach(query string, args, dest []any, visit func() error) {
	c.later(query, args...)
	c.readers = append(c.readers, reader{c.pending.Len() - 1, dest, visit})
}

// exec runs a statement without rows, and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (changed int64, err error) {
	c.later(query, args...)
	results, err := c.flush()
	defer func() { err = errors.Join(err, results.close()) }()
	if err != nil {
		return 0, err
	}
	tag, err := results.batch.Exec()
	return tag.RowsAffected(), err
}

// get scans the first row into dest, or returns errNoRow.
func (c *conn) get(query string, args []any, dest ...any) error {
	found := false
	err := c.each(query, args, dest, func() error {
		found = true
		return errStop
	})
	if err == nil && !found {
		return errNoRow
	}
	return err
}

// each scans every row into dest and calls visit after each. visit must not use the
// connection.
func (c *conn) each(query string, args, dest []any, visit func() error) (err error) {
	c.later(query, args...)
	results, err := c.flush()
	defer func() { err = errors.Join(err, results.close()) }()
	if err != nil {
		return err
	}
	return results.each(dest, func() error {
		c.visited = true
		return visit()
	})
}

// each reads the rows of the next answer.
func (r results) each(dest []any, visit func() error) error {
	rows, err := r.batch.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		if err := scan(row, dest); err != nil {
			return err
		}
		switch err := visit(); {
		case errors.Is(err, errStop):
			return nil
		case err != nil:
			return err
		}
	}
	return rows.Err()
}

// results holds the answers to a batch, of which all but the last have been read.
type results struct{ batch pgx.BatchResults }

// close ends the batch. Statements after a failed one were not executed.
func (r results) close() error {
	if r.batch == nil {
		return nil
	}
	return r.batch.Close()
}

// flush sends the pending statements and reads all answers but the last.
func (c *conn) flush() (results, error) {
	batch, readers := c.pending, c.readers
	c.pending, c.readers = nil, nil
	r := results{c.pg.SendBatch(c.ctx, batch)}
	for i := range batch.Len() - 1 {
		var err error
		if len(readers) > 0 && readers[0].at == i {
			err = r.each(readers[0].dest, readers[0].visit)
			readers = readers[1:]
		} else {
			_, err = r.batch.Exec()
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// bind converts arguments to the types that the driver accepts.
func bind(args []any) []any {
	bound := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case time.Time:
			bound[i] = sqlstore.Micros(arg)
		case string:
			bound[i] = server.Quote(arg)
		case []string:
			quoted := make([]string, len(arg))
			for n, text := range arg {
				quoted[n] = server.Quote(text)
			}
			bound[i] = quoted
		default:
			bound[i] = arg
		}
	}
	return bound
}

func scan(row, dest []any) error {
	if len(row) != len(dest) {
		return fmt.Errorf("the query returns %d columns, but %d are scanned", len(row), len(dest))
	}
	for i, v := range row {
		if err := scanValue(v, dest[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// scanValue copies a column value; NULL becomes the zero value.
func scanValue(v, dest any) error {
	var ok bool
	switch dest := dest.(type) {
	case *int64:
		*dest, ok = value[int64](v)
	case *float64:
		*dest, ok = value[float64](v)
	case *bool:
		*dest, ok = value[bool](v)
	case *string:
		var kept string
		kept, ok = value[string](v)
		*dest = server.Unquote(kept)
	case *[]byte:
		*dest, ok = value[[]byte](v)
	case *time.Time:
		var us int64
		us, ok = value[int64](v)
		*dest = sqlstore.FromMicros(us)
	case *any:
		*dest, ok = v, true
		if kept, isText := v.(string); isText {
			*dest = server.Unquote(kept)
		}
	default:
		return fmt.Errorf("cannot scan into a %T", dest)
	}
	if !ok {
		return fmt.Errorf("cannot scan a %T into a %T", v, dest)
	}
	return nil
}

func value[T any](v any) (T, bool) {
	if v == nil {
		var zero T
		return zero, true
	}
	t, ok := v.(T)
	return t, ok
}
