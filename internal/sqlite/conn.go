package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/sqlstore"
)

// conn is one connection on which every statement is prepared once. It uses the
// driver's interface directly, because database/sql would check a connection out of its
// pool for every statement, at twice the cost. It is not safe for concurrent use.
type conn struct {
	driver driver.Conn
	stmts  map[string]*stmt
	cipher atrest.Cipher // its state is the one read in the transaction (openFiles.current)
}

type stmt struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	close func() error
	args  []driver.NamedValue // reused between calls
	row   []driver.Value      // reused between calls
}

// errNoRow reports that a query returned no row.
var errNoRow = sqlstore.ErrNoRow

func newConn(c driver.Conn) *conn { return &conn{driver: c, stmts: map[string]*stmt{}} }

func (c *conn) Close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.close())
	}
	clear(c.stmts)
	return errors.Join(append(errs, c.driver.Close())...)
}

// prepared returns the prepared statement for query, which must be a constant of this
// package.
//
// A query whose LIMIT is a parameter writes it as "LIMIT ? + 0". If the parameter stood
// alone, SQLite would use its value for planning and recompile the statement each time
// another value is bound.
func (c *conn) prepared(query string) (*stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	prepared, err := c.driver.Prepare(query)
	if err != nil {
		return nil, err
	}
	s := &stmt{close: prepared.Close}
	var execs, queries bool
	s.exec, execs = prepared.(driver.StmtExecContext)
	s.query, queries = prepared.(driver.StmtQueryContext)
	if !execs || !queries {
		return nil, errors.Join(errors.New("the SQLite driver lacks StmtExecContext or StmtQueryContext"), prepared.Close())
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement that returns no rows. It takes no context: statements take
// microseconds, and a context would cost a goroutine each.
func (c *conn) exec(query string, args ...any) (driver.Result, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	return s.exec.ExecContext(context.Background(), s.bind(args))
}

// run executes a script: statements separated by semicolons, without parameters. Unlike
// exec it keeps none of them prepared.
func (c *conn) run(script string) error {
	_, err := c.driver.(driver.ExecerContext).ExecContext(context.Background(), script, nil)
	return err
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

// errStop ends each early, without an error.
var errStop = sqlstore.ErrStop

// each scans every row into dest and calls visit after each.
func (c *conn) each(query string, args, dest []any, visit func() error) (err error) {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.query.QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		switch err := rows.Next(s.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := scan(s.row, dest); err != nil {
			return err
		}
		switch err := visit(); {
		case errors.Is(err, errStop):
			return nil
		case err != nil:
			return err
		}
	}
}

// bind converts arguments to the types that drivers accept.
func (s *stmt) bind(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, arg := range args {
		var v driver.Value = arg
		switch arg := arg.(type) {
		case int:
			v = int64(arg)
		case time.Time:
			v = sqlstore.Micros(arg)
		case bool:
			v = int64(0)
			if arg {
				v = int64(1)
			}
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

func scan(row []driver.Value, dest []any) error {
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
func scanValue(v driver.Value, dest any) error {
	var ok bool
	switch dest := dest.(type) {
	case *int64:
		*dest, ok = value[int64](v)
	case *bool:
		var n int64
		n, ok = value[int64](v)
		*dest = n != 0
	case *float64:
		*dest, ok = value[float64](v)
	case *string:
		*dest, ok = value[string](v)
	case *[]byte:
		*dest, ok = value[[]byte](v)
	case *time.Time:
		var us int64
		us, ok = value[int64](v)
		*dest = sqlstore.FromMicros(us)
	case *any:
		*dest, ok = v, true
	default:
		return fmt.Errorf("cannot scan into a %T", dest)
	}
	if !ok {
		return fmt.Errorf("cannot scan a %T into a %T", v, dest)
	}
	return nil
}

func value[T any](v driver.Value) (T, bool) {
	if v == nil {
		var zero T
		return zero, true
	}
	t, ok := v.(T)
	return t, ok
}

// sql returns the connection as package sqlstore uses it.
func (c *conn) sql() sqlstore.Conn { return statements{c} }

// statements runs the statements of package sqlstore, each immediately.
type statements struct{ *conn }

// Get implements sqlstore.Conn.
func (s statements) Get(query string, args []any, dest ...any) error {
	return s.get(query, args, dest...)
}

// Each implements sqlstore.Conn.
func (s statements) Each(query string, args, dest []any, visit func() error) error {
	return s.each(query, args, dest, visit)
}

// Opener implements sqlstore.Conn.
func (s statements) Opener() atrest.Cipher { return s.cipher }

// Cipher implements sqlstore.Conn.
func (s statements) Cipher() (atrest.Cipher, error) { return s.cipher, nil }

// Later implements sqlstore.Conn.
func (s statements) Later(query string, args ...any) error {
	_, err := s.exec(query, args...)
	return err
}
