package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Roster implements bridge.Store.
func (s *Store) Roster(ctx context.Context, g bridge.Gate) (roster bridge.Roster, unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		roster, err = sqlstore.Roster(e.sql(), g.Conversation)
		if err != nil || !e.many() {
			return err
		}
		return readOf(e.conn, g.Conversation, g.Session, roster)
	})
	return roster, unread, err
}

// InviteSession implements bridge.Store.
func (s *Store) InviteSession(ctx context.Context, g bridge.Gate, rule bridge.InviteRule) (fresh bridge.NewSession, unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		unread = e.self.Waiting(g.Now)
		o, err := sqlstore.Overview(e.sql(), g.Conversation)
		if err != nil {
			return err
		}
		if fresh, err = rule(o, e.now); err != nil {
			return err
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		e.op.Details["invited"], e.op.Details["role"] = fresh.Session, fresh.Role
		if !e.many() {
			e.firstFlows(g.Conversation)
		}
		return sqlstore.ReplaceSession(e.sql(), g.Conversation, fresh)
	})
	return fresh, unread, err
}

// JoinConversation implements bridge.Store.
func (s *Store) JoinConversation(ctx context.Context, op bridge.Operation, hash []byte, rule bridge.InvitationRule) (i bridge.Invitation, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if i, err = sqlstore.Invitation(e.sql(), hash); err != nil {
			return err
		}
		if i.ID != "" {
			if err := e.hold(i.ID, alone); err != nil {
				return err
			}
			if i, err = sqlstore.Invitation(e.sql(), hash); err != nil { // nobody else redeems it now
				return err
			}
		}
		i.Clock = e.state.clock
		if err := rule(i); err != nil {
			return err
		}
		e.op.Conversation, e.op.Actor, i.JoinedAt = i.ID, string(i.Session), op.Now
		e.later("UPDATE session_status SET joined_at = $1 WHERE conversation = $2 AND session = $3", op.Now, i.ID, string(i.Session))
		if err := e.seen(i.ID, i.Session); err != nil {
			return err
		}
		i.Roster, err = sqlstore.Roster(e.sql(), i.ID)
		return err
	})
	return i, err
}

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
