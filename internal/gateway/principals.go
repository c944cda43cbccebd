package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
)

// How long an authentication is trusted. A revoked key is refused, and its calls are ended,
// within five seconds on every gateway.
const (
	believeFor = 2 * watchEvery // maximum age of the last check that found the key valid
	watchEvery = 2 * time.Second
	// forgetAfter is how long an endpoint is kept without calls. The sessions of its holder
	// are stored in files and are found again.
	forgetAfter = 10 * time.Minute
)

// principals holds the holders of keys that have called.
type principals struct {
	keys     *access.Service
	endpoint func(access.Key) Endpoint
	handler  func(Endpoint) http.Handler
	log      *slog.Logger

	mu       sync.Mutex
	all      map[string]*principal               // by the key's id
	checking map[[sha256.Size]byte]chan struct{} // by hash of the key, while a call checks it; closed afterwards
	draining bool
}

// principal is the holder of a key.
type principal struct {
	// These fields do not change after the first call and are read without the lock. If the
	// key is revoked or its row is altered, the principal is dropped.
	key      access.Kept
	endpoint Endpoint
	handler  http.Handler
	channels *channels
	// The lock protects all other fields. hash is the hash of the key's text, and checked
	// the time when it was last found valid.
	hash    [sha256.Size]byte
	checked time.Time
	used    time.Time
	calls   map[int64]context.CancelCauseFunc // in flight
	gone    bool
}

// calling returns the context for a call of the holder: it contains the caller and the
// conversations it is restricted to.
func (p *principal) calling(ctx context.Context) context.Context {
	return bridge.Within(bridge.WithCaller(ctx, "key "+p.key.ID), p.key.Conversations)
}

func newPrincipals(o Options) *principals {
	handler := func(e Endpoint) http.Handler { return connected(e, o) }
	return &principals{keys: o.Keys, endpoint: o.Endpoint, handler: handler, log: o.Log, all: map[string]*principal{}, checking: map[[sha256.Size]byte]chan struct{}{}}
}

// recall returns the holder of a key that was authenticated recently, or nil.
func (ps *principals) recall(text string) *principal {
	hash := sha256.Sum256([]byte(text))
	now := time.Now()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.all[access.ID(text)]
	if p == nil || subtle.ConstantTimeCompare(hash[:], p.hash[:]) != 1 || now.Sub(p.checked) >= believeFor {
		return nil
	}
	return p
}

// turn waits until no other call is checking the same key. Call done after the check.
func (ps *principals) turn(ctx context.Context, text string) (done func(), err error) {
	hash := sha256.Sum256([]byte(text))
	for {
		ps.mu.Lock()
		other, busy := ps.checking[hash]
		if !busy {
			mine := make(chan struct{})
			ps.checking[hash] = mine
			ps.mu.Unlock()
			return func() {
				ps.mu.Lock()
				defer ps.mu.Unlock()
				delete(ps.checking, hash)
				close(mine)
			}, nil
		}
		ps.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// admit returns the holder of a key, or access.ErrRefused.
func (ps *principals) admit(ctx context.Context, text string, c access.Caller) (*principal, error) {
	if p := ps.recall(text); p != nil {
		return p, nil
	}
	key, err := ps.keys.Authenticate(ctx, text, c)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(text))
	now := time.Now()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.all[key.ID]
	if p == nil {
		e := ps.endpoint(key.Key)
		if ps.draining {
			e.Drain()
		}
		p = &principal{key: key, endpoint: e, handler: ps.handler(e), channels: newChannels(e.Forget), calls: map[int64]context.CancelCauseFunc{}}
		ps.all[key.ID] = p
	}
	p.hash, p.checked, p.used = hash, now, now
	return p, nil
}

var (
	errBusy = errors.New("too many calls of this key are in progress")
	// errRevoked is the reason with which calls end when their key is no longer valid.
	errRevoked = errors.New("the access key was revoked or has expired")
)

// begin registers a call, which ends when the key becomes invalid. Call end after the call.
func (ps *principals) begin(ctx context.Context, p *principal, number int64) (_ context.Context, end func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	switch {
	case p.gone:
		cancel(errRevoked)
		return nil, nil, access.ErrRefused
	case len(p.calls) >= maxCalls:
		cancel(errBusy)
		return nil, nil, errBusy
	}
	p.calls[number] = cancel
	p.used = time.Now()
	return ctx, func() {
		cancel(nil)
		ps.mu.Lock()
		defer ps.mu.Unlock()
		delete(p.calls, number)
	}, nil
}

// watch ends the calls of keys that are no longer valid, until ctx ends.
func (ps *principals) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			ps.look(ctx)
		}
	}
}

// look compares the known holders with the valid keys.
func (ps *principals) look(ctx context.Context) {
	known := ps.each()
	if len(known) == 0 {
		return
	}
	for _, p := range known {
		p.channels.expire(time.Now())
	}
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	begun := time.Now()
	valid, err := ps.keys.Valid(ctx)
	if err != nil {
		ps.log.Warn("the access keys could not be read", "error", err.Error())
		return
	}
	for _, p := range ps.drop(valid, begun) {
		p.endpoint.Drain()
		p.endpoint.Close()
	}
}

// drop removes the holders whose keys are no longer valid, ending their calls, and those
// that have not called for long. All others are marked as checked at the given time. A key
// whose row has changed counts as invalid: its next call is checked individually.
func (ps *principals) drop(valid map[string]access.Kept, at time.Time) (dropped []*principal) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for id, p := range ps.all {
		idle := len(p.calls) == 0 && time.Since(p.used) > forgetAfter
		if row, ok := valid[id]; ok && row.Same(p.key) && !idle {
			if at.After(p.checked) {
				p.checked = at
			}
			continue
		}
		p.gone = true
		delete(ps.all, id)
		for _, cancel := range p.calls {
			cancel(errRevoked)
		}
		dropped = append(dropped, p)
	}
	return dropped
}

func (ps *principals) each() []*principal {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Collect(maps.Values(ps.all))
}

// drain makes waiting calls return, and later calls return without waiting.
func (ps *principals) drain() {
	ps.mu.Lock()
	ps.draining = true
	ps.mu.Unlock()
	for _, p := range ps.each() {
		p.endpoint.Drain()
	}
}

func (ps *principals) close() {
	for _, p := range ps.each() {
		p.endpoint.Close()
	}
}
