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

// Times between two looks of a waiter.
const (
	lookAgain   = time.Second            // where a bell rings
	lookQuickly = 100 * time.Millisecond // where none could be hung up
)

// silence is the Notifier that wakes nobody.
type silence struct{}

var errSilent = errors.New("nobody rings")

func (silence) Ring(string) {}

func (silence) Listen(string) (<-chan struct{}, func() error, error) {
	return nil, nil, errSilent
}

// wait looks until look says that it has found what the caller waits for, or
// fails, or until ctx or drain has ended; then it answers false. Between two
// looks it sleeps until somebody rings for key, and never longer than a second.
func wait(ctx context.Context, n Notifier, key string, drain <-chan struct{}, look func(context.Context) (bool, error)) (bool, error) {
	if found, err := look(ctx); found || err != nil {
		return found, err
	}
	every := lookQuickly
	rings, stop, err := n.Listen(key)
	if err == nil {
		defer func() { _ = stop() }()
		every = lookAgain
	}
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		// Listen first, look then: what is committed in between is seen.
		if found, err := look(ctx); found || err != nil {
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
