// Package fleet is what runs beside agents: heartbeats on an agent's behalf, its
// messages the moment they come, and a watchdog that detects silent workers and gives
// their tasks to others.
//
// Nothing that matters is kept here. What was detected, reported and moved is in the
// store, so that any of these may be killed and started again, and any number of
// them may run at once.
//
//	keepalive.go  a heartbeat at an interval
//	inbox.go      the messages that wait; follow.go those that come
//	watchdog.go   silences, alerts, reassignment; clock.go what it trusts
//	program.go webhook.go  how alerts and messages leave the bridge
package fleet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// final reports whether trying again cannot help.
func final(err error) bool {
	var invalid *bridge.InvalidError
	for _, known := range []error{
		bridge.ErrExpired, bridge.ErrUnauthorized, bridge.ErrStoreMissing, bridge.ErrStoreForeign, bridge.ErrStoreNewer, bridge.ErrStoreMoved,
		bridge.ErrStorePermissions, bridge.ErrStoreKey, bridge.ErrStoreGone, bridge.ErrStoreDamaged,
		access.ErrRefused, access.ErrRole, bridge.ErrGatewayForeign, bridge.ErrGatewayVersion,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &invalid)
}

// levelOf is how loud a failure is that is tried again: a limit is none of the
// operator's business.
func levelOf(err error) slog.Level {
	var limited *bridge.RateLimitError
	if errors.As(err, &limited) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// backoff is how long to wait before the next attempt.
type backoff struct{ next, most time.Duration }

// pause waits, longer each time, or as long as the store asks for. It returns
// false when ctx has ended.
func (p *backoff) pause(ctx context.Context, err error) bool {
	wait := p.next
	var limited *bridge.RateLimitError
	if errors.As(err, &limited) {
		wait = limited.RetryAfter
	}
	p.next = min(2*p.next, p.most)
	return sleep.For(ctx, wait) == nil
}
