package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
)

// Nonces implements bridge.Store.
func (s *Store) Nonces(ctx context.Context, op bridge.Operation) (all []bridge.NewNonce, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		all = nil
		var n bridge.NewNonce
		var session string
		err := e.each("SELECT session, nonce, fingerprint FROM session_status WHERE conversation = $1 ORDER BY session",
			[]any{op.Conversation}, []any{&session, &n.Nonce, &n.Print}, func() error {
				n.Session = bridge.SessionID(session)
				all = append(all, n)
				return nil
			})
		if err == nil && all == nil {
			return bridge.ErrNotFound
		}
		return err
	})
	return all, err
}

// ReplaceNonces implements bridge.Store.
func (s *Store) ReplaceNonces(ctx context.Context, op bridge.Operation, rule bridge.NonceRule) (fresh []bridge.NewNonce, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		roster, err := getRoster(e.conn, op.Conversation)
		if err != nil {
			return err
		}
		if len(roster) == 0 {
			return bridge.ErrNotFound
		}
		if fresh, err = rule(roster.IDs(), e.now); err != nil {
			return bridge.RefuseInvalid(op, err)
		}
		for _, n := range fresh {
			e.later(`
				UPDATE session_status SET nonce = $1, fingerprint = $2, join_hash = NULL,
				       join_expires_at = CASE joined_at WHEN 0 THEN $5 ELSE join_expires_at END
				WHERE conversation = $3 AND session = $4`,
				n.Nonce, n.Print, op.Conversation, string(n.Session), n.KeptUntil)
		}
		return nil
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
