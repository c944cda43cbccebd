package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// CountCalls implements bridge.Store.
func (s *Store) CountCalls(ctx context.Context, since time.Time) (all []bridge.CallCount, err error) {
	counts := map[bridge.CallCount]int64{} // the limit kind that each counts towards
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
