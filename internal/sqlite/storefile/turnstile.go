package storefile

import (
	"context"
	"errors"
	"os"
	"time"
)

// Turnstile lets the writers of one store through one at a time, in the order
// in which they came. SQLite alone makes writers poll for its lock (the busy
// timeout), which starves some of them when there are many.
//
// It is two files that are locked with flock and are not the database: a writer
// takes the queue, then the turn, then leaves the queue. The kernel frees the
// locks of a process that dies. A process that was stopped while it had its turn
// would hold up all others, so waiting is bounded, and then SQLite's own lock,
// which keeps the store safe in any case, decides.
//
// Not safe for concurrent use: a store enters under its mutex.
type Turnstile struct {
	// Timeout is how long a writer waits for its turn. Change it only while none waits.
	Timeout     time.Duration
	queue, turn lockFile
}

// turnSuffix is what the name of the file of turns ends in.
const turnSuffix = "-turn"

// TurnTimeout is the usual Timeout of a store's turnstile.
const TurnTimeout = 2 * time.Second

// NewTurnstile makes the turnstile of the store at database. It makes its files
// when they are first needed.
func NewTurnstile(database string, timeout time.Duration) *Turnstile {
	return &Turnstile{
		queue:   lockFile{path: database + "-queue"},
		turn:    lockFile{path: database + turnSuffix},
		Timeout: timeout,
	}
}

// Enter waits for the writer's turn. Call leave when done. Without an error but
// over the timeout, there is nothing to leave.
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

// Close closes the files of the turnstile, which stay on the disk.
func (t *Turnstile) Close() error { return errors.Join(t.queue.Close(), t.turn.Close()) }

// lockFile is a file that is there to be locked. It stays open between locks.
type lockFile struct {
	path string
	file *os.File
	// abandoned is closed when the waiter that gave up has ended; nil without one.
	abandoned chan struct{}
}

// lock takes the exclusive lock. A waiter that gives up leaves a goroutine with
// the open file behind, which ends, and frees the lock, when it gets it. There
// is never more than one of them: as long as it waits nobody else does, because
// whoever stands still with the lock still does.
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
			_ = errors.Join(<-locked, file.Close()) // closing frees the lock
		}()
		return ctx.Err()
	}
}

// stuck reports whether a waiter that gave up still waits.
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
