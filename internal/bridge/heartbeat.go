package bridge

import (
	"context"
	"time"
)

// Pulse is the answer to Heartbeat.
type Pulse struct {
	At time.Time
	// Unread counts the messages that wait for the caller.
	Unread int64
	// ExpiresAt is the end of the conversation.
	ExpiresAt time.Time
}

// Heartbeat says that the caller lives. Its status stays what it is.
func (s *Service) Heartbeat(ctx context.Context, c Credentials) (Pulse, error) {
	g := s.BesideGate(ctx, c, "heartbeat")
	p, err := s.store.Heartbeat(ctx, g)
	p.At = g.Now
	return p, err
}
