package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// durability says what a commit survives.
type durability bool

const (
	durable durability = true  // a power cut
	relaxed durability = false // a killed process; the next durable commit carries it along
)

// writer is the process's one writing connection. mutex is a channel, so that
// waiting for it can be cancelled.
//
// SQLite does not wait for the disk when it commits (synchronous=NORMAL). A
// durable commit waits in flush, behind it, when others may write already. The
// log is one file to which transactions are appended in order: what is flushed
// takes everything before it along, so that nobody can be told of something, and
// lose it, that rests on a commit which is not on the disk yet.
type writer struct {
	mutex     chan struct{}
	conn      *conn
	file      openFile
	turnstile *turnstile
	log       *walFile // nil: no commit waits for the disk
}

func newWriter(c *conn, f openFile, t *turnstile, log *walFile) *writer {
	return &writer{mutex: make(chan struct{}, 1), conn: c, file: f, turnstile: t, log: log}
}

var errClosed = errors.New("the store is closed")

// do runs fn in one write transaction. It commits if fn returns nil, and undoes
// everything otherwise. It returns when what was committed is as durable as fn
// says. A cancelled ctx stops it only before it has begun.
func (w *writer) do(ctx context.Context, fn func(*conn) (durability, error)) error {
	level, err := w.commit(ctx, fn)
	if err != nil || level == relaxed || w.log == nil {
		return err
	}
	if err := w.log.flush(); err != nil {
		return errors.Join(translate(err), w.rescue())
	}
	return nil
}

func (w *writer) commit(ctx context.Context, fn func(*conn) (durability, error)) (level durability, err error) {
	release, err := w.acquire(ctx)
	if err != nil {
		return relaxed, err
	}
	defer release()
	if err := w.file.check(); err != nil {
		return relaxed, err
	}
	leave, err := w.turnstile.enter(ctx)
	if err != nil {
		return relaxed, err
	}
	defer leave()
	if err := w.begin(ctx); err != nil {
		return relaxed, translate(err)
	}
	err = finish(w.conn, func(c *conn) (err error) {
		level, err = fn(c)
		return err
	})
	return level, translate(err)
}

// acquire waits for the connection.
func (w *writer) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case w.mutex <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.conn == nil {
		<-w.mutex
		return nil, errClosed
	}
	return func() { <-w.mutex }, nil
}

// rescue copies the log into the database after it could not be flushed: some
// systems forget what they could not write, and let the next flush succeed.
func (w *writer) rescue() error {
	release, err := w.acquire(context.Background())
	if err != nil {
		return err
	}
	defer release()
	_, err = w.conn.exec("PRAGMA wal_checkpoint(FULL)")
	return err
}

// Waiting for SQLite's own lock: who has no turnstile, and everybody where a
// process was stopped inside its transaction.
const (
	lockSlice    = 250 * time.Millisecond // between two looks at the context
	lockPatience = 30 * time.Second
)

// begin begins a write transaction, which waits for others' to end.
func (w *writer) begin(ctx context.Context) error {
	deadline := time.Now().Add(lockPatience)
	for {
		_, err := w.conn.exec("BEGIN IMMEDIATE")
		if !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
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
	err := errors.Join(w.conn.Close(), w.turnstile.Close(), w.log.Close())
	w.conn = nil
	return err
}

// reader is the process's reading connection, opened when it is first needed.
type reader struct {
	mutex sync.Mutex
	file  openFile
	open  func() (*conn, error)
	conn  *conn
}

func newReader(f openFile, open func() (*conn, error)) *reader { return &reader{file: f, open: open} }

// do runs fn in one read transaction: all it reads is of one moment.
func (r *reader) do(ctx context.Context, fn func(*conn) error) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.file.check(); err != nil {
		return err
	}
	if r.conn == nil {
		c, err := r.open()
		if err != nil {
			return err
		}
		r.conn = c
	}
	return translate(transact(r.conn, "BEGIN", fn))
}

func (r *reader) Close() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open = func() (*conn, error) { return nil, errClosed }
	if r.conn == nil {
		return nil
	}
	err := r.conn.Close()
	r.conn = nil
	return err
}
