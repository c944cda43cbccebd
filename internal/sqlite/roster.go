package sqlite

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
			if err := e.firstFlows(g.Conversation); err != nil {
				return err
			}
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
		i.Clock = e.head.clock
		if err := rule(i); err != nil {
			return err
		}
		e.op.Conversation, e.op.Actor, i.JoinedAt = i.ID, string(i.Session), op.Now
		_, err := e.exec("UPDATE session_status SET joined_at = ? WHERE conversation = ? AND session = ?", op.Now, i.ID, string(i.Session))
		if err != nil {
			return err
		}
		if err := e.seen(i.ID, i.Session); err != nil {
			return err
		}
		i.Roster, err = sqlstore.Roster(e.sql(), i.ID)
		return err
	})
	return i, err
}

// Suspects implements bridge.Store. A text has at most some ten thousand places
// that look like a token, and nearly none of them is one.
func (s *Store) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	return s.read.do(ctx, func(c *conn) error { return suspects(c, prints, visit) })
}

func suspects(c *conn, prints []int64, visit func(bridge.Suspect)) error {
	var found bridge.Suspect
	var session string
	for _, fingerprint := range prints {
		err := c.each("SELECT conversation, session, nonce FROM session_status WHERE fingerprint = ?", []any{fingerprint},
			[]any{&found.Conversation, &session, &found.Nonce}, func() error {
				found.Session = bridge.SessionID(session)
				visit(found)
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillPrints gives the sessions of a store that is migrated their fingerprints.
func fillPrints(c *conn, p bridge.Printer) error {
	var all []bridge.Suspect
	var s bridge.Suspect
	var session string
	err := c.each("SELECT conversation, session, nonce FROM session_status", nil, []any{&s.Conversation, &session, &s.Nonce}, func() error {
		s.Session = bridge.SessionID(session)
		all = append(all, s)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		_, err := c.exec("UPDATE session_status SET fingerprint = ? WHERE conversation = ? AND session = ?",
			p.Of(s.Conversation, s.Session, s.Nonce), s.Conversation, string(s.Session))
		if err != nil {
			return err
		}
	}
	return nil
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
