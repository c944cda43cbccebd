// Package fleet runs alongside agents: it sends heartbeats on an agent's behalf,
// shows its messages as they arrive, and runs a watchdog that detects silent workers
// and reassigns their tasks.
//
// The package keeps no important state of its own. What was detected, reported and
// reassigned is in the store, so that any of these can be killed and restarted, and
// several can run at the same time.
//
//	keepalive.go  periodic heartbeats
//	inbox.go      waiting messages; follow.go new ones
//	watchdog.go   silences, alerts, reassignment; clock.go detects clock jumps
//	program.go webhook.go  delivery of alerts and messages to programs and URLs
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

// final reports whether err is permanent, so that retrying cannot succeed.
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

// levelOf returns the log level for a failure that will be retried. Hitting a
// rate limit is logged at debug level, since the operator need not act.
func levelOf(err error) slog.Level {
	var limited *bridge.RateLimitError
	if errors.As(err, &limited) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// backoff determines the pauses between attempts.
type backoff struct{ next, most time.Duration }

// pause waits before the next attempt: longer each time, or as long as the
// store asks for. It returns false if ctx has ended.
func (p *backoff) pause(ctx context.Context, err error) bool {
	wait := p.next
	var limited *bridge.RateLimitError
	if errors.As(err, &limited) {
		wait = limited.RetryAfter
	}
	p.next = min(2*p.next, p.most)
	return sleep.For(ctx, wait) == nil
}
