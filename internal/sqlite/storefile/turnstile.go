package storefile

import (
	"context"
	"errors"
	"os"
	"time"
)

// Turnstile lets the writers of one store through one at a time, in the order in which
// they came. With SQLite alone, writers poll for its lock (the busy timeout), which
// starves some of them when there are many.
//
// It consists of two files other than the database that are locked with flock: a writer
// takes the queue, then the turn, then leaves the queue. The kernel releases the locks
// of a process that dies. A process that is stopped during its turn would block all
// others, so waiting is bounded. After that only SQLite's own lock decides, which keeps
// the store safe in any case.
//
// A Turnstile is not safe for concurrent use: a store enters it under its mutex.
type Turnstile struct {
	// Timeout is how long a writer waits for its turn. It must not be changed while a
	// writer waits.
	Timeout     time.Duration
	queue, turn lockFile
}

// turnSuffix is the suffix of the file that is locked for the turn.
const turnSuffix = "-turn"

// TurnTimeout is the default Timeout.
const TurnTimeout = 2 * time.Second

// NewTurnstile returns the turnstile of the store at database. It creates its files on
// first use.
func NewTurnstile(database string, timeout time.Duration) *Turnstile {
	return &Turnstile{
		queue:   lockFile{path: database + "-queue"},
		turn:    lockFile{path: database + turnSuffix},
		Timeout: timeout,
	}
}

// Enter waits for the writer's turn. Call leave when done. After the timeout Enter
// returns without an error and without the turn; leave then does nothing.
func (t *Turnstile) Enter(ctx context.Context) (leave func(), err error) {
	timeout, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	if err := t.queue.lock(timeout); err != nil {
		return withoutTurn(ctx, err)
	}
	defer t.queue.unlock()
	if err := t.turn.lock(timeout); err != nil {
		return withoutTurn(ctx, err)
	}
	return t.turn.unlock, nil
}

func withoutTurn(ctx context.Context, err error) (func(), error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errors.ErrUnsupported):
		return func() {}, nil
	}
	return nil, err
}

// Close closes the files of the turnstile. They stay on the disk.
func (t *Turnstile) Close() error { return errors.Join(t.queue.Close(), t.turn.Close()) }

// lockFile is a file that exists to be locked. It stays open between locks.
type lockFile struct {
	path string
	file *os.File
	// abandoned is closed when a waiter that gave up has ended; nil if there is none.
	abandoned chan struct{}
}

// lock takes the exclusive lock. If it gives up, it leaves a goroutine with the open
// file, which ends and releases the lock as soon as it gets it. There is never more
// than one such goroutine: while one waits, lock fails immediately, because the process
// that holds the lock is still stopped.
func (l *lockFile) lock(ctx context.Context) error {
	if l.stuck() {
		return context.DeadlineExceeded
	}
	if l.file == nil {
		f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return Unwritable(err)
		}
		if err := private(f); err != nil {
			return errors.Join(err, f.Close())
		}
		l.file = f
	}
	if taken, err := tryFlock(l.file); taken || err != nil {
		return Unwritable(err)
	}
	file, locked := l.file, make(chan error, 1)
	go func() { locked <- waitFlock(file) }()
	select {
	case err := <-locked:
		return Unwritable(err)
	case <-ctx.Done():
		ended := make(chan struct{})
		l.file, l.abandoned = nil, ended
		go func() {
			defer close(ended)
			_ = errors.Join(<-locked, file.Close()) // closing releases the lock
		}()
		return ctx.Err()
	}
}

// stuck reports whether a waiter that gave up is still waiting.
func (l *lockFile) stuck() bool {
	if l.abandoned == nil {
		return false
	}
	select {
	case <-l.abandoned:
		l.abandoned = nil
		return false
	default:
		return true
	}
}

func (l *lockFile) unlock() { _ = unlockFlock(l.file) }

func (l *lockFile) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
