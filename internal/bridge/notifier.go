package bridge

import (
	"context"
	"errors"
	"time"
)

// Notifier wakes processes that wait for a change in the store. A ring is a hint
// and the store is the truth: one that is lost delays a waiter and never loses
// anything. Package doorbell has the one for processes of one machine.
type Notifier interface {
	// Ring wakes everybody who listens for key, in any process. It neither blocks
	// nor fails.
	Ring(key string)
	// Listen begins to listen for key: rings receives after each ring, and rings
	// that nobody took yet are one. Call stop when done. Where it fails, waiters
	// look into the store more often.
	Listen(key string) (rings <-chan struct{}, stop func() error, err error)
}

// Times between two checks of a waiter.
const (
	checkAgain = time.Second            // where a bell rings
	checkOften = 100 * time.Millisecond // where none could be set up
)

// silence is the Notifier that wakes nobody.
type silence struct{}

var errSilent = errors.New("there are no doorbells")

func (silence) Ring(string) {}

func (silence) Listen(string) (<-chan struct{}, func() error, error) {
	return nil, nil, errSilent
}

// wait calls check until it says that it has found what the caller waits for, or
// fails, or until ctx or drain has ended; then it answers false. Between two
// calls it sleeps until somebody rings for key, and never longer than a second.
func wait(ctx context.Context, n Notifier, key string, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	if found, err := check(ctx); found || err != nil {
		return found, err
	}
	every := checkOften
	rings, stop, err := n.Listen(key)
	if err == nil {
		defer func() { _ = stop() }()
		every = checkAgain
	}
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		// Listen first, then check: what is committed in between is seen.
		if found, err := check(ctx); found || err != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-drain:
			return false, nil
		case <-rings:
		case <-again.C:
		}
	}
}
