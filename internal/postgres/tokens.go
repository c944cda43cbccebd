package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Nonces implements bridge.Store.
func (s *Store) Nonces(ctx context.Context, op bridge.Operation) (all []bridge.NewNonce, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		all, err = sqlstore.Nonces(e.sql(), op.Conversation)
		return err
	})
	return all, err
}

// ReplaceNonces implements bridge.Store.
func (s *Store) ReplaceNonces(ctx context.Context, op bridge.Operation, rule bridge.NonceRule) (fresh []bridge.NewNonce, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		fresh, err = sqlstore.ReplaceNonces(e.sql(), op, e.now, rule)
		return err
	})
	return fresh, err
}

// Suspects implements bridge.Store.
func (s *Store) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	if len(prints) == 0 {
		return nil
	}
	var all []bridge.Suspect
	err := s.read(ctx, func(c *conn) (err error) {
		all, err = suspects(c, prints)
		return err
	})
	for _, found := range all {
		visit(found)
	}
	return err
}

func suspects(c *conn, prints []int64) (all []bridge.Suspect, err error) {
	var found bridge.Suspect
	var session string
	err = c.each("SELECT conversation, session, nonce FROM session_status WHERE fingerprint = ANY($1)", []any{prints},
		[]any{&found.Conversation, &session, &found.Nonce}, func() error {
			found.Session = bridge.SessionID(session)
			all = append(all, found)
			return nil
		})
	return all, err
}
