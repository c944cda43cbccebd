// Package sqlstore is what all stores in SQL databases do with the same statements: what
// they load for the rules of the domain, and how they keep what the rules decide. How a
// database is opened, locked, written to the disk and sent statements is each store's own,
// and so is a query that one of them needs in another form.
//
// Parameters are written ?1, ?2 and so on. Times are kept in microseconds, lists as JSON.
package sqlstore

import (
	"errors"
	"time"
)

// Conn runs statements in a transaction of a store.
type Conn interface {
	// Get reads the first row into dest, or returns ErrNoRow.
	Get(query string, args []any, dest ...any) error
	// Each reads every row into dest and calls visit behind each. visit may return ErrStop,
	// and must not use the connection.
	Each(query string, args, dest []any, visit func() error) error
	// Later runs a statement whose result nobody needs: at once, or with the next one that
	// somebody waits for, whose error its own is then.
	Later(query string, args ...any) error
}

// ErrNoRow reports a query without a result.
var ErrNoRow = errors.New("no row")

// ErrStop ends Conn.Each early, without an error.
var ErrStop = errors.New("stop")

// Micros is how times are stored; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros reads a time back.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Blob is NULL for nothing.
func Blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}
