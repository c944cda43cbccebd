package sqlite

import (
	"cmp"
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
			groups = slices.Collect(slices.Chunk(to, 1)) // copies are for more
		}
		for _, to := range groups {
			one, err := e.deliver(op.Conversation, bridge.System, to, "", m)
			if err != nil {
				return err
			}
			if _, err := e.exec("UPDATE messages SET operator = 1 WHERE id = ?", one.ID); err != nil {
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
	return s.changePauses(ctx, op, "INSERT INTO pauses (conversation, since) VALUES (?, ?) ON CONFLICT DO NOTHING", op.Conversation, op.Now)
}

// Resume implements bridge.Store.
func (s *Store) Resume(ctx context.Context, op bridge.Operation) (changed bool, err error) {
	return s.changePauses(ctx, op, "DELETE FROM pauses WHERE ?1 IN ('', conversation)", op.Conversation)
}

func (s *Store) changePauses(ctx context.Context, op bridge.Operation, query string, args ...any) (changed bool, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if op.Conversation != "" {
			if _, err := sqlstore.Overview(e.sql(), op.Conversation); err != nil {
				return err
			}
		}
		result, err := e.exec(query, args...)
		if err != nil {
			return err
		}
		rows, err := result.RowsAffected()
		changed = rows > 0
		return err
	})
	return changed, err
}

// CountCalls implements bridge.Store.
func (s *Store) CountCalls(ctx context.Context, since time.Time) (all []bridge.CallCount, err error) {
	counts := map[bridge.CallCount]int64{} // by what they count
	err = s.inSlices(ctx, slicesOf{table: "audit_log", key: "seq"}, func(c *conn, after, to int64) (bool, error) {
		var one bridge.CallCount
		var n int64
		return false, c.each("SELECT action, outcome, count(*) FROM audit_log WHERE seq > ? AND seq <= ? AND at >= ? GROUP BY 1, 2",
			[]any{after, to, since}, []any{&one.Action, &one.Outcome, &n}, func() error {
				counts[one] += n
				return nil
			})
	})
	for one, n := range counts {
		one.Count = n
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b bridge.CallCount) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Outcome, b.Outcome))
	})
	return all, err
}

// CountMessages implements bridge.Store.
func (s *Store) CountMessages(ctx context.Context, since time.Time) (bridge.MessageCount, error) {
	count := bridge.MessageCount{BySender: map[string]int64{}, ByKind: map[string]int64{}}
	err := s.inSlices(ctx, slicesOf{table: "messages", key: "id"}, func(c *conn, after, to int64) (bool, error) {
		var sender, kinds string
		var n int64
		return false, c.each("SELECT "+senderColumn+", m.redacted, count(*) FROM messages m WHERE m.id > ? AND m.id <= ? AND m.sent_at >= ? GROUP BY 1, 2",
			[]any{after, to, since}, []any{&sender, &kinds, &n}, func() error {
				count.BySender[sender] += n
				for _, kind := range sqlstore.FromList(kinds) {
					count.ByKind[kind] += n
				}
				return nil
			})
	})
	return count, err
}
