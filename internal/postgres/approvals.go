package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sqlstore"
)

// PeekCommand implements commands.Store.
func (s *Store) PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (v commands.View, err error) {
	err = s.read(ctx, func(c *conn) error {
		err := c.get(`
			SELECT h.latest, h.slow, c.expires_at, c.expiry_seal, s.nonce
			FROM store_state h
			LEFT JOIN conversations c ON c.id = $1
			LEFT JOIN session_status s ON s.conversation = $1 AND s.session = $2`,
			[]any{conversation, string(session)}, &v.Clock.Latest, &v.Clock.Slow, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce)
		if err = stateless(err); err != nil {
			return err
		}
		return sqlstore.ViewCommand(c.sql(), conversation, session, command, &v)
	})
	return v, err
}

// CheckCommand implements commands.Store.
func (s *Store) CheckCommand(ctx context.Context, g bridge.Gate) (unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		unread = e.self.Waiting(g.Now)
		return e.chargeCall()
	})
	return unread, err
}

// RefuseCommand implements commands.Store.
func (s *Store) RefuseCommand(ctx context.Context, g bridge.Gate) error {
	return s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		return &bridge.Refusal{Reason: nil, Outcome: bridge.OutcomeRefused}
	})
}

// QueueCommand implements commands.Store.
func (s *Store) QueueCommand(ctx context.Context, g bridge.Gate, r commands.Request, l commands.QueueLimits) (id, unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		id, unread, err = sqlstore.QueueCommand(e, g, r, l)
		return err
	})
	return id, unread, err
}

// UseApproval implements commands.Store.
func (s *Store) UseApproval(ctx context.Context, g bridge.Gate, u commands.ApprovalUse) error {
	return s.pass(ctx, g, durable, func(e *entry) error { return sqlstore.UseApproval(e, g, u) })
}

// EndCommand implements bridge.Store.
func (s *Store) EndCommand(ctx context.Context, op bridge.Operation, end commands.End, of bridge.SessionID, m bridge.NewMessage) (sent bridge.Sent, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if err := sqlstore.EndCommand(e.sql(), end, op.Now); err != nil {
			return err
		}
		sent = bridge.Sent{}
		to, err := e.others(op.Conversation, of)
		if err != nil {
			return err
		}
		if len(to) == 0 {
			e.op.Details["partner"] = "gone" // the conversation was removed meanwhile
			return nil
		}
		if sent, err = e.deliver(mail{conversation: op.Conversation, from: bridge.System, to: to}, m); err != nil {
			return err
		}
		e.op.Details["message_id"] = sent.ID
		return e.get("SELECT last_seq - read_seq FROM session_status WHERE conversation = $1 AND session = $2",
			[]any{op.Conversation, string(of)}, &sent.Unread)
	})
	return sent, err
}

// DecideCommand implements commands.Store.
func (s *Store) DecideCommand(ctx context.Context, op bridge.Operation, d commands.Decision) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.DecideCommand(e, d, " FOR UPDATE") })
}

// RecordOperation implements bridge.Store.
func (s *Store) RecordOperation(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, durable, func(*entry) error { return nil })
}
