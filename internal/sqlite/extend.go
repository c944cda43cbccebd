package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
)

// ExtendConversation implements bridge.Store.
func (s *Store) ExtendConversation(ctx context.Context, g bridge.Gate, rule bridge.ExtendRule) (unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		return e.extend(rule)
	})
	return unread, err
}

// ExtendByOperator implements bridge.Store.
func (s *Store) ExtendByOperator(ctx context.Context, op bridge.Operation, rule bridge.ExtendRule) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return e.extend(rule) })
}

func (e *entry) extend(rule bridge.ExtendRule) error {
	o, err := getOverview(e.conn, e.op.Conversation)
	if err != nil {
		return err
	}
	x := rule(o, e.now)
	if _, err := e.exec("UPDATE conversations SET expires_at = ? WHERE id = ?", x.ExpiresAt, o.ID); err != nil {
		return err
	}
	if x.JoinHash == nil {
		return nil
	}
	_, err = e.exec("UPDATE conversations SET join_hash = ?, join_expires_at = ? WHERE id = ?", x.JoinHash, x.JoinExpiresAt, o.ID)
	return err
}
