package bridge

import (
	"context"
	"time"
)

// Pulse is the result of Heartbeat.
type Pulse struct {
	At time.Time
	// Unread counts the messages waiting for the caller.
	Unread int64
	// ExpiresAt is the end of the conversation.
	ExpiresAt time.Time
}

// Heartbeat records that the caller is alive. Its status does not change.
func (s *Service) Heartbeat(ctx context.Context, c Credentials) (Pulse, error) {
	g := s.BesideGate(ctx, c, "heartbeat")
	p, err := s.store.Heartbeat(ctx, g)
	p.At = g.Now
	return p, err
}
