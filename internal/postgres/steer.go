package postgres

import (
	"context"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Say implements bridge.Store.
func (s *Store) Say(ctx context.Context, op bridge.Operation, m bridge.NewMessage, rule bridge.SayRule) (sent []bridge.Sent, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		o, err := sqlstore.Overview(e.sql(), op.Conversation)
		if err != nil {
			return err
		}
		to, err := rule(o)
		if err != nil {
			return err
		}
		groups := []bridge.Recipients{to}
		if len(o.Sessions) == 2 {
			groups = slices.Collect(slices.Chunk(to, 1))
		}
		sent = nil
		for _, to := range groups {
			one, err := e.deliver(mail{conversation: op.Conversation, from: bridge.Operator, to: to}, m)
			if err != nil {
				return err
			}
			sent = append(sent, one)
		}
		return nil
	})
	return sent, err
}

// Pause implements bridge.Store.
func (s *Store) Pause(ctx context.Context, op bridge.Operation) (changed bool, err error) {
	return s.changePauses(ctx, op, "INSERT INTO pauses (conversation, since) VALUES ($1, $2) ON CONFLICT DO NOTHING", op.Conversation, op.Now)
}

// Resume implements bridge.Store.
func (s *Store) Resume(ctx context.Context, op bridge.Operation) (changed bool, err error) {
	return s.changePauses(ctx, op, "DELETE FROM pauses WHERE $1 IN ('', conversation)", op.Conversation)
}

func (s *Store) changePauses(ctx context.Context, op bridge.Operation, query string, args ...any) (changed bool, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if op.Conversation != "" {
			if _, err := sqlstore.Overview(e.sql(), op.Conversation); err != nil {
				return err
			}
		}
		rows, err := e.exec(query, args...)
		changed = rows > 0
		return err
	})
	return changed, err
}

// CountCalls implements bridge.Store.
func (s *Store) CountCalls(ctx context.Context, since time.Time) (all []bridge.CallCount, err error) {
	err = s.read(ctx, func(c *conn) error {
		var one bridge.CallCount
		return c.each("SELECT action, outcome, count(*) FROM audit_log WHERE at >= $1 GROUP BY 1, 2 ORDER BY 1, 2",
			[]any{since}, []any{&one.Action, &one.Outcome, &one.Count}, func() error {
				all = append(all, one)
				return nil
			})
	})
	return all, err
}

// CountMessages implements bridge.Store.
func (s *Store) CountMessages(ctx context.Context, since time.Time) (bridge.MessageCount, error) {
	count := bridge.MessageCount{BySender: map[string]int64{}, ByKind: map[string]int64{}}
	err := s.read(ctx, func(c *conn) error {
		var sender, kinds string
		var n int64
		return c.each(`
			SELECT sender, redacted, count(*) FROM messages WHERE sent_at >= $1 GROUP BY 1, 2`,
			[]any{since}, []any{&sender, &kinds, &n}, func() error {
				count.BySender[sender] += n
				for _, kind := range sqlstore.FromList(kinds) {
					count.ByKind[kind] += n
				}
				return nil
			})
	})
	return count, err
}
