package sqlite_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestLongLogs checks that queries over a long audit log and many messages, which run
// in several transactions, return complete results. Numbers may be missing, and a
// forged huge number must not make a reader step through all numbers before it.
func TestLongLogs(t *testing.T) {
	t.Parallel()
	const rare, last = "conv_0123456789abcdef", int64(math.MaxInt64) - 1
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	must(t, sqlite.ExecFile(e.Path,
		`INSERT INTO audit_log (seq, at, conversation, session, action, outcome, details, mac)
		 WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 25000)
		 SELECT n + iif(n > 12000, 50000, 0), n, iif(n % 8000 = 0, '`+rare+`', 'conv_other'), 'a', iif(n % 2, 'x', 'y'), 'ok', '{}', x'' FROM c`,
		`INSERT INTO audit_log VALUES (9223372036854775806, 25001, '`+rare+`', 'a', 'x', 'ok', '{}', x'')`,
		`INSERT INTO messages (id, conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
		 WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 21000)
		 SELECT n * 3, '`+rare+`', 'b', n, 'a', 'info', 'x', '[]', '[]', n, 1 FROM c`))
	for name, tt := range map[string]struct {
		query bridge.AuditQuery
		want  []int64
	}{
		"of one conversation": {bridge.AuditQuery{Conversation: rare}, []int64{8000, 66000, 74000, last}},
		"its first":           {bridge.AuditQuery{Conversation: rare, Limit: 2}, []int64{8000, 66000}},
		"its last":            {bridge.AuditQuery{Conversation: rare, Limit: 2, Last: true}, []int64{74000, last}},
		"after a number":      {bridge.AuditQuery{Conversation: rare, After: 66000}, []int64{74000, last}},
		"over a gap":          {bridge.AuditQuery{After: 11999, Limit: 2}, []int64{12000, 62001}},
		"after the end":       {bridge.AuditQuery{After: last}, nil},
		"of no conversation":  {bridge.AuditQuery{Conversation: "conv_none", Last: true}, nil},
	} {
		var got []int64
		entries, err := store.AuditEntries(t.Context(), tt.query)
		must(t, err)
		for _, e := range entries {
			got = append(got, e.Seq)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	calls, err := store.CountCalls(t.Context(), time.UnixMicro(5001))
	must(t, err)
	if want := []bridge.CallCount{{Action: "x", Outcome: "ok", Count: 10001}, {Action: "y", Outcome: "ok", Count: 10000}}; !cmp.Equal(calls, want) {
		t.Errorf("counted %v, want %v", calls, want)
	}
	messages, err := store.CountMessages(t.Context(), time.UnixMicro(1001))
	must(t, err)
	if messages.BySender["a"] != 20000 {
		t.Errorf("counted %v, want 20000 of a", messages)
	}
}
