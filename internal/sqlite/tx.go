package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
)

// durability is what a commit survives.
type durability bool

const (
	durable durability = true  // survives a power cut
	relaxed durability = false // survives a kill; the next durable commit flushes it as well
)

// writer is the process's only writing connection. mutex is a channel, so that waiting
// for it can be cancelled.
//
// SQLite does not wait for the disk when it commits (synchronous=NORMAL). A durable
// commit waits in flush afterwards, when other writers may already proceed. The log is
// one file to which transactions are appended in order, and a flush covers everything
// before it. So nothing that depends on an unflushed commit can be acknowledged before
// that commit is on the disk.
type writer struct {
	mutex     chan struct{}
	conn      *conn
	files     openFiles
	turnstile *storefile.Turnstile
	flush     func(log *os.File) error // nil: commits do not wait for the disk
	waiting   func(bridge.Holder)
	together  *storefile.Together
	unsaved   atomic.Bool  // a flush failed, and the log has not been copied into the database since
	working   sync.RWMutex // read-locked by each operation
}

func newWriter(c *conn, f openFiles, t *storefile.Turnstile, flush func(*os.File) error, waiting func(bridge.Holder)) *writer {
	return &writer{mutex: make(chan struct{}, 1), conn: c, files: f, turnstile: t, together: storefile.NewTogether(), flush: flush, waiting: waiting}
}

var errClosed = errors.New("the store is closed")

// do runs fn in one write transaction, which is committed if fn returns nil and rolled
// back otherwise. do returns when the commit is as durable as fn says. A cancelled ctx
// has an effect only before the transaction has begun.
func (w *writer) do(ctx context.Context, fn func(*conn) (durability, error)) error {
	w.working.RLock()
	defer w.working.RUnlock()
	level, err := w.commit(ctx, fn)
	if err != nil {
		return err
	}
	if level == relaxed || w.flush == nil {
		return nil
	}
	return w.together.Do(w.settle) // a flush covers all commits made before it began
}

// settle waits until the log is on the disk. After a flush has failed in any process,
// later flushes do not count until the whole log has been copied into the database.
func (w *writer) settle() error {
	err := w.flush(w.files.Log())
	if err != nil {
		w.unsaved.Store(true)
		err = errors.Join(err, w.files.MarkUnsaved())
	}
	failed := w.files.Unsaved()
	if failed == 0 && !w.unsaved.Load() {
		return nil
	}
	saved := w.saveLog()
	if saved == nil {
		w.unsaved.Store(false)
		w.files.MarkSaved(failed)
	}
	if err := errors.Join(err, saved); err != nil {
		return fmt.Errorf("%w: flush the log: %w", bridge.ErrOutcomeUnknown, err)
	}
	return nil
}

func (w *writer) commit(ctx context.Context, fn func(*conn) (durability, error)) (level durability, err error) {
	release, err := w.acquire(ctx)
	if err != nil {
		return relaxed, err
	}
	defer release()
	if err := w.files.Check(); err != nil {
		w.rescue()
		return relaxed, err
	}
	leave, err := w.turnstile.Enter(ctx)
	if err != nil {
		return relaxed, w.files.late(err)
	}
	defer leave()
	if err := w.begin(ctx); err != nil {
		return relaxed, w.files.explain(err)
	}
	err = finish(w.conn, func(c *conn) (err error) {
		if err := w.files.current(c); err != nil {
			return err
		}
		level, err = fn(c)
		return err
	})
	if err == nil {
		w.files.Committed()
	}
	return level, w.files.explain(err)
}

// acquire waits for the connection. If the caller's deadline passes, another call of
// this process has been waiting for the store meanwhile, so the store counts as busy.
func (w *writer) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, w.files.late(err)
	}
	select {
	case w.mutex <- struct{}{}:
	case <-ctx.Done():
		return nil, w.files.late(ctx.Err())
	}
	if w.conn == nil {
		<-w.mutex
		return nil, errClosed
	}
	return func() { <-w.mutex }, nil
}

// saveLog copies the log into the database after a failed flush, because some systems
// drop the pages that they could not write and let the next flush succeed.
func (w *writer) saveLog() error {
	release, err := w.acquire(context.Background())
	if err != nil {
		return err
	}
	defer release()
	var busy, logged, moved int64
	if err := w.conn.get("PRAGMA wal_checkpoint(FULL)", nil, &busy, &logged, &moved); err != nil {
		return err
	}
	if busy != 0 || moved < logged {
		return errors.New("the log could not be copied into the database: another process is reading or writing")
	}
	return nil
}

// rescue checkpoints a removed log into the database. Only processes that still have
// the log open can read it.
func (w *writer) rescue() {
	if w.conn != nil && w.files.OnlyLogRemoved() {
		_, _ = w.conn.exec("PRAGMA wal_checkpoint(PASSIVE)")
	}
}

func transact(c *conn, begin string, fn func(*conn) error) error {
	if _, err := c.exec(begin); err != nil {
		return err
	}
	return finish(c, fn)
}

// finish runs fn in the transaction that has begun, and ends it.
func finish(c *conn, fn func(*conn) error) error {
	finished := false
	defer func() {
		if finished {
			return
		}
		// fn or COMMIT failed, or fn panicked. SQLite may already have rolled back, for
		// example because the disk is full; then this does nothing.
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
	w.working.Lock()
	defer w.working.Unlock()
	w.mutex <- struct{}{}
	defer func() { <-w.mutex }()
	if w.conn == nil {
		return nil
	}
	err := w.turnstile.Close()
	if w.files.Check() != nil {
		w.rescue()
	} else {
		err = errors.Join(err, w.conn.Close(), w.files.Close())
	}
	w.conn = nil
	return err
}

// reader is the process's reading connection, opened on first use.
type reader struct {
	mutex  sync.Mutex
	files  openFiles
	open   func() (*conn, error)
	conn   *conn
	closed bool
	done   func(context.Context) // called after each transaction
}

func newReader(f openFiles, open func() (*conn, error)) *reader {
	return &reader{files: f, open: open}
}

// do runs fn in one read transaction, so that it sees a single moment.
func (r *reader) do(ctx context.Context, fn func(*conn) error) error {
	err := r.alone(ctx, func(c *conn) error {
		return transact(c, "BEGIN", func(c *conn) error {
			if err := r.files.current(c); err != nil {
				return err
			}
			return fn(c)
		})
	})
	if r.done != nil {
		r.done(ctx)
	}
	return err
}

// alone runs fn outside of a transaction.
func (r *reader) alone(ctx context.Context, fn func(*conn) error) (err error) {
	defer contain(r.files.Path(), &err)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return r.files.late(err)
	}
	if r.closed {
		return errClosed
	}
	if err := r.files.Check(); err != nil {
		return err
	}
	if r.conn == nil {
		c, err := r.open()
		if err != nil {
			return err
		}
		r.conn = c
	}
	return r.files.explain(fn(r.conn))
}

func (r *reader) Close() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.closed = true
	if r.conn == nil {
		return nil
	}
	var err error
	if !r.files.Gone() {
		err = r.conn.Close()
	}
	r.conn = nil
	return err
}

// Waiting for SQLite's own lock happens on platforms without a turnstile, and
// everywhere if a process was stopped inside its transaction.
const (
	lockSlice   = 250 * time.Millisecond // between two checks of the context
	lockTimeout = 30 * time.Second
	// waitSlice makes statements of the writer wait for one slice.
	waitSlice = "PRAGMA busy_timeout = 250"
	// tellAfter is how long a writer waits before it reports the process that it waits
	// for.
	tellAfter = 2 * time.Second
)

// begin begins a write transaction, waiting for those of others to end.
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

// late returns the error of a wait that was ended by the context. If the caller's
// deadline passed, that is an error saying that the store is busy.
func (f openFiles) late(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return f.busy(err)
}

// busy returns the error for a busy store, naming the process that holds it if known.
func (f openFiles) busy(err error) error {
	if holder, ok := f.Writer(); ok {
		return &bridge.BusyError{Holder: holder}
	}
	return fmt.Errorf("%w: %w", bridge.ErrStoreBusy, err)
}
