package steps

import (
	"context"

	"example.org/bridge/internal/bridge"
)

// Steps returns steps of a conversation, in order, for the operator. The error may be
// bridge.ErrNotFound.
func (s *Service) Steps(ctx context.Context, q Query) ([]Step, error) {
	if q.Task < 0 || q.Limit < 1 {
		return nil, bridge.Invalid("limit", "must be at least 1, and a task must be an id")
	}
	if _, err := s.core.Conversation(ctx, q.Conversation); err != nil {
		return nil, err
	}
	return s.store.Steps(ctx, q)
}
