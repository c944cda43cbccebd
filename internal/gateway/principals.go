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

// How long what is known of keys is believed. A revoked key is refused, and its calls
// are ended, within five seconds on every gateway.
const (
	believeFor = 2 * watchEvery // without a look that finds the key valid
	watchEvery = 2 * time.Second
	// forgetAfter is after how long without a call an endpoint is given up. What its
	// holder created or joined is in files, and is found again.
	forgetAfter = 10 * time.Minute
)

// principals are the holders of keys that have called.
type principals struct {
	keys     *access.Service
	endpoint func(access.Key) Endpoint
	handler  func(Endpoint) http.Handler
	log      *slog.Logger

	mu       sync.Mutex
	all      map[string]*principal               // by the key's id
	checking map[[sha256.Size]byte]chan struct{} // written keys that a call checks; closed then
	draining bool
}

// principal is one of them.
type principal struct {
	// These are as they were when it first called, and are read without the lock: that the
	// key is revoked, or its row is another, ends the principal.
	key      access.Kept
	endpoint Endpoint
	handler  http.Handler
	channels *channels
	// All else is behind the lock. hash is of the written key, and checked when it was
	// last proved.
	hash    [sha256.Size]byte
	checked time.Time
	used    time.Time
	calls   map[int64]context.CancelCauseFunc // under way
	gone    bool
}

// calling returns a context for a call of the holder: who it is, and where it may act.
func (p *principal) calling(ctx context.Context) context.Context {
	return bridge.Within(bridge.WithCaller(ctx, "key "+p.key.ID), p.key.Conversations)
}

func newPrincipals(o Options) *principals {
	handler := func(e Endpoint) http.Handler { return connected(e, o) }
	return &principals{keys: o.Keys, endpoint: o.Endpoint, handler: handler, log: o.Log, all: map[string]*principal{}, checking: map[[sha256.Size]byte]chan struct{}{}}
}

// recall returns the holder of a written key that was proved just now.
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

// turn waits until no other call checks a written key. Call done when it is checked.
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

// admit returns the holder of a written key, or access.ErrRefused.
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
	errBusy = errors.New("too many calls of this key are under way")
	// errRevoked is why a call ends whose key is no longer valid.
	errRevoked = errors.New("the access key was revoked or has expired")
)

// begin notes a call, which ends when the key is no longer valid. Call end after it.
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

// watch ends the calls of keys that count no more, until ctx ends.
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

// look compares the holders that are known with the keys that count.
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

// drop takes out the holders of keys that count no more, whose calls it ends, and
// those who have not called for long. All others are proved as of a time. A key whose row
// is not the one that proved counts no more: its next call is checked by itself.
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

// drain lets the calls that wait return, and those that come wait no more.
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
