package fleet

import (
	"context"
	"log/slog"
	"time"

	"example.org/bridge/internal/bridge"
)

// KeepaliveInterval is the default time between two heartbeats (PRODUCTION.md).
const KeepaliveInterval = 30 * time.Second

// firstRetry is the pause before a failed heartbeat is retried. It doubles up
// to the interval.
const firstRetry = 250 * time.Millisecond

// Heartbeats sends heartbeats: bridge.Service, or a connection to a gateway.
type Heartbeats interface {
	Heartbeat(ctx context.Context, c bridge.Credentials) (bridge.Pulse, error)
}

// Keepalive sends heartbeats for a session. It never marks anything read.
type Keepalive struct {
	Bridge   Heartbeats
	Session  bridge.Credentials
	Interval time.Duration
	// Once makes Run return after the first heartbeat.
	Once bool
	// Beat is called after each heartbeat. Its error ends the run.
	Beat func(bridge.Pulse) error
	Log  *slog.Logger
}

// Run sends heartbeats. It returns nil when ctx ends, and otherwise only if the
// session is refused: with bridge.ErrExpired, or bridge.ErrUnauthorized. Errors that
// may be temporary, such as a full disk, are retried without limit.
func (k Keepalive) Run(ctx context.Context) error {
	ticker := time.NewTicker(k.Interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		pulse, err := k.beat(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := k.Beat(pulse); err != nil || k.Once {
			return err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}

// beat sends one heartbeat, and retries until it succeeds.
func (k Keepalive) beat(ctx context.Context) (bridge.Pulse, error) {
	retry := backoff{min(firstRetry, k.Interval), k.Interval}
	for {
		pulse, err := k.Bridge.Heartbeat(ctx, k.Session)
		if err == nil {
			return pulse, nil
		}
		if final(err) {
			return pulse, err
		}
		k.Log.Log(ctx, levelOf(err), "a heartbeat failed; retrying", "conversation", k.Session.Conversation, "error", err)
		if !retry.pause(ctx, err) {
			return pulse, ctx.Err()
		}
	}
}
