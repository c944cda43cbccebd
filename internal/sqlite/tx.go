package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"example.org/bridge/internal/bridge"
)

// durability says what a commit survives.
type durability string

const (
	durable durability = "PRAGMA synchronous = FULL"   // a power cut
	relaxed durability = "PRAGMA synchronous = NORMAL" // a killed process; the next durable commit carries it along
	// volatile is what Options.Volatile makes of both.
	volatile durability = "PRAGMA synchronous = OFF" // a killed process
)

// writer is the process's one writing connection. mutex is a channel, so that
// waiting for it can be cancelled.
type writer struct {
	mutex     chan struct{}
	conn      *conn
	files     *openFiles
	turnstile *turnstile
	level     durability
	volatile  bool
	waiting   func(bridge.Holder)
}

func newWriter(c *conn, f *openFiles, t *turnstile, o Options) *writer {
	return &writer{mutex: make(chan struct{}, 1), conn: c, files: f, turnstile: t, volatile: o.Volatile, waiting: o.Waiting}
}

var errClosed = errors.New("the store is closed")

// do runs fn in one write transaction. It commits if fn returns nil, and undoes
// everything otherwise. A cancelled ctx stops it only before it has begun.
func (w *writer) do(ctx context.Context, level durability, fn func(*conn) error) error {
	select {
	case w.mutex <- struct{}{}:
		defer func() { <-w.mutex }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if w.conn == nil {
		return errClosed
	}
	if err := w.files.check(); err != nil {
		w.rescue()
		return err
	}
	leave, err := w.turnstile.enter(ctx)
	if err != nil {
		return w.files.late(err)
	}
	defer leave()
	if w.volatile {
		level = volatile
	}
	if w.level != level {
		if _, err := w.conn.exec(string(level)); err != nil {
			return w.files.explain(err)
		}
		w.level = level
	}
	if err := w.begin(ctx); err != nil {
		return w.files.explain(err)
	}
	return w.files.explain(finish(w.conn, func(c *conn) error {
		if err := w.files.fit(); err != nil {
			return err
		}
		return fn(c)
	}))
}

// rescue moves what is in a log that was removed into the database. This process
// and others that have it open are the only ones that can still read it.
func (w *writer) rescue() {
	if w.conn != nil && w.files.onlyLogRemoved() {
		_, _ = w.conn.exec("PRAGMA wal_checkpoint(PASSIVE)")
	}
}

func transact(c *conn, begin string, fn func(*conn) error) error {
	if _, err := c.exec(begin); err != nil {
		return err
	}
	return finish(c, fn)
}

// finish runs fn in the transaction that has begun and ends it.
func finish(c *conn, fn func(*conn) error) error {
	finished := false
	defer func() {
		if finished {
			return
		}
		// fn failed or panicked, or COMMIT did. SQLite may have rolled back by
		// itself, for example when the disk is full: then this does nothing.
		_, _ = c.exec("ROLLBACK")
	}()
	if err := fn(c); err != nil {
		return err
	}
	if _, err := c.exec("COMMIT"); err != nil {
		if isUncertain(err) {
			return fmt.Errorf("%w: %w", bridge.ErrOutcomeUnknown, err)
		}
		return fmt.Errorf("commit: %w", err)
	}
	finished = true
	return nil
}

func (w *writer) Close() error {
	w.mutex <- struct{}{}
	defer func() { <-w.mutex }()
	if w.conn == nil {
		return nil
	}
	err := w.turnstile.Close()
	if w.files.check() != nil {
		w.rescue()
	} else {
		err = errors.Join(err, w.conn.Close(), w.files.Close())
	}
	w.conn = nil
	return err
}

// reader is the process's reading connection, opened when it is first needed.
type reader struct {
	mutex sync.Mutex
	files *openFiles
	open  func() (*conn, error)
	conn  *conn
}

func newReader(f *openFiles, open func() (*conn, error)) *reader {
	return &reader{files: f, open: open}
}

// do runs fn in one read transaction: all it reads is of one moment.
func (r *reader) do(ctx context.Context, fn func(*conn) error) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.files.check(); err != nil {
		return err
	}
	if r.conn == nil {
		c, err := r.open()
		if err != nil {
			return err
		}
		r.conn = c
	}
	return r.files.explain(transact(r.conn, "BEGIN", func(c *conn) error {
		if err := r.files.fit(); err != nil {
			return err
		}
		return fn(c)
	}))
}

func (r *reader) Close() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open = func() (*conn, error) { return nil, errClosed }
	if r.conn == nil {
		return nil
	}
	var err error
	if !r.files.gone() {
		err = r.conn.Close()
	}
	r.conn = nil
	return err
}
