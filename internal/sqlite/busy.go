package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
)

// Waiting for SQLite's own lock: who has no turnstile, and everybody where a
// process was stopped inside its transaction.
const (
	lockSlice   = 250 * time.Millisecond // between two checks of the context
	lockTimeout = 30 * time.Second
	// waitSlice lets a statement of the writer wait for one slice.
	waitSlice = "PRAGMA busy_timeout = 250"
	// tellAfter is how long a writer waits before it says for whom.
	tellAfter = 2 * time.Second
)

// begin begins a write transaction, which waits for others' to end.
func (w *writer) begin(ctx context.Context) error {
	begun, told := time.Now(), w.waiting == nil
	for {
		_, err := w.conn.exec("BEGIN IMMEDIATE")
		if !isBusy(err) {
			return err
		}
		waited := time.Since(begun)
		if !told && waited >= tellAfter {
			told = true
			if holder, ok := w.files.Writer(); ok {
				w.waiting(holder)
			}
		}
		switch {
		case ctx.Err() != nil:
			return w.files.late(ctx.Err())
		case waited >= lockTimeout:
			return w.files.busy(err)
		}
	}
}

// late is the error of a wait that was ended from outside: where that is because
// the caller's time was up, the store was busy for that long.
func (f openFiles) late(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return f.busy(err)
}

// busy says who holds the store, as far as that is known.
func (f openFiles) busy(err error) error {
	if holder, ok := f.Writer(); ok {
		return &bridge.BusyError{Holder: holder}
	}
	return fmt.Errorf("%w: %w", bridge.ErrStoreBusy, err)
}
