package gateway

import (
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/stdio"
)

// NewAuthorityAt is NewAuthority with another clock.
func NewAuthorityAt(key bridge.Key, now func() time.Time) (*Authority, error) {
	return newAuthority(key, now)
}

// HoldLarge takes all the room for large bodies once it is free.
func (g *Gateway) HoldLarge() {
	for range maxLarge {
		g.large <- struct{}{}
	}
}

// Calls returns the number of calls of a key in flight.
func (g *Gateway) Calls(id string) int {
	g.principals.mu.Lock()
	defer g.principals.mu.Unlock()
	if p := g.principals.all[id]; p != nil {
		return len(p.calls)
	}
	return 0
}

// NewOutlet returns an outlet without a reader, and a function that counts its queued
// notifications.
func NewOutlet() (o stdio.Outlet, waiting func() int) {
	made := newOutlet()
	return made, func() int {
		made.mu.Lock()
		defer made.mu.Unlock()
		return len(made.waiting)
	}
}

// AllCalls returns the number of calls of all keys in flight.
func (g *Gateway) AllCalls() (n int) {
	g.principals.mu.Lock()
	defer g.principals.mu.Unlock()
	for _, p := range g.principals.all {
		n += len(p.calls)
	}
	return n
}
