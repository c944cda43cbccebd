// Package sqlstore contains the statements that are the same for all stores in SQL
// databases: they load the data on which the rules of the domain decide, and store what
// the rules return. Each store has its own code to open, lock and sync its database and
// to run statements, and its own form of a query where the databases differ.
//
// Parameters are numbered (?1, ?2). Times are stored as microseconds since 1970, lists
// as JSON. Decisions are made by types of the domain and never here.
// docs/architecture.md ("The way of a call") shows where this package is called.
package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/atrest"
)

// Conn runs statements in the transaction of a store.
type Conn interface {
	// Get reads the first row into dest. The error is ErrNoRow if there is none.
	Get(query string, args []any, dest ...any) error
	// Each reads every row into dest and calls visit after each. visit must not use the
	// connection; it may return ErrStop.
	Each(query string, args, dest []any, visit func() error) error
	// Later runs a statement without a result. The store may delay it until the next
	// statement with a result or the commit, which then returns its error.
	Later(query string, args ...any) error
	// Opener returns a cipher that opens the texts of the store. If this transaction
	// has not read the state yet, its state is atrest.Off, in which it opens texts of
	// all kinds.
	Opener() atrest.Cipher
	// Cipher returns how texts are written in this transaction.
	Cipher() (atrest.Cipher, error)
}

// ErrNoRow reports that a query found no row.
var ErrNoRow = errors.New("no row")

// ErrStop ends Conn.Each early if the function that Each calls returns it. Each then
// returns nil.
var ErrStop = errors.New("stop")

// Micros returns the stored form of a time: microseconds since 1970, and 0 for the zero
// time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros returns the time of its stored form, in UTC.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Blob returns b as a parameter; nil is stored as NULL.
func Blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}
