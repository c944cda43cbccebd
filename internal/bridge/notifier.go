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

// Work stands, where a bell rings, for nobody's inbox: what the sessions of a
// conversation share, or say of themselves, has changed.
const Work SessionID = ""

// Bell is what rings for a change in a conversation: in a session's inbox, or, for Work,
// in what its sessions share.
type Bell struct {
	Conversation string
	Session      SessionID
}

// watchAgain is how often who watches looks without a ring, for what changes by time
// alone, such as a lease, and for rings that were lost.
const watchAgain = 5 * time.Second

// AwaitChange calls check, and again after each ring of one of the bells and every few
// seconds, until it reports true or fails; then it answers true. It answers false when
// drain is closed, and when timeout is over, which is at most MaxWait.
func (s *Service) AwaitChange(ctx context.Context, bells []Bell, timeout time.Duration, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	within, cancel := context.WithTimeout(ctx, max(0, min(timeout, MaxWait)))
	defer cancel()
	keys := make([]string, len(bells))
	for i, b := range bells {
		keys[i] = bellKey(b.Conversation, b.Session)
	}
	found, err := waitFor(within, together{s.bells, keys}, "", drain, looks{watchAgain, time.Second}, check)
	if err != nil && within.Err() != nil {
		return false, ctx.Err()
	}
	return found, errors.Join(err, ctx.Err())
}

// wait calls check until it says that it has found what the caller waits for, or
// fails, or until ctx or drain has ended; then it answers false. Between two
// calls it sleeps until somebody rings for key, and never longer than a second.
func wait(ctx context.Context, n Notifier, key string, drain <-chan struct{}, check func(context.Context) (bool, error)) (bool, error) {
	return waitFor(ctx, n, key, drain, looks{checkAgain, checkOften}, check)
}

// looks are the times between two looks of a waiter.
type looks struct{ rung, silent time.Duration }

// waitFor is wait with other times between two looks.
func waitFor(ctx context.Context, n Notifier, key string, drain <-chan struct{}, l looks, check func(context.Context) (bool, error)) (bool, error) {
	if found, err := check(ctx); found || err != nil {
		return found, err
	}
	every := l.silent
	rings, stop, err := n.Listen(key)
	if err == nil {
		defer func() { _ = stop() }()
		every = l.rung
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
