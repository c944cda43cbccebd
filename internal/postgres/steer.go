package postgres

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

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
