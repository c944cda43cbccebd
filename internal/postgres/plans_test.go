package postgres_test

import (
	"context"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestPlansReadLittle fills a store with two conversations and checks the query plans
// of what every call reads: none may read all messages.
func TestPlansReadLittle(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	const messages, most = 5000, 100
	dsn := server.Schema()
	s, _ := gateway(t, dsn, bridgetest.NewEnv(t).Key)
	pair, room := bridgetest.NewPair(t, s).A.Conversation, bridgetest.NewRoom(t, s, 3)[0].Conversation
	fill := func(conversation, sender, recipient string, from int) {
		execute(t, dsn, strings.NewReplacer("CONV", conversation, "SENDER", sender, "RECIPIENT", recipient,
			"FIRST", strconv.Itoa(from), "LAST", strconv.Itoa(from+messages-1)).Replace(`
			INSERT INTO messages (id, conversation, sender, action_type, message, files, redacted, sent_at)
			SELECT n, 'CONV', 'SENDER', 'info', 'text', '[]', '[]', 1 FROM generate_series(FIRST, LAST) n;
			INSERT INTO inbox (conversation, recipient, seq, message, partner_unread)
			SELECT 'CONV', 'RECIPIENT', n, n, 1 FROM generate_series(FIRST, LAST) n`))
	}
	fill(room, "a", "c", 1)
	fill(room, "c", "b", 10_001)
	fill(pair, "b", "a", 20_001)
	fill(pair, "a", "b", 30_001) // after everything that b has sent
	execute(t, dsn, "INSERT INTO flows (conversation, sender, recipient, sent_id) VALUES ('"+room+"', 'a', 'c', 5000)")
	execute(t, dsn, "INSERT INTO sent SELECT conversation, sender, id FROM messages WHERE conversation = '"+room+"'")
	execute(t, dsn, "UPDATE session_status SET last_seq = (SELECT coalesce(max(seq), 0) FROM inbox i WHERE i.conversation = session_status.conversation AND i.recipient = session)")
	execute(t, dsn, "ANALYZE messages, inbox, session_status, sent")
	for name, q := range map[string]struct {
		query string
		args  []any
	}{
		"the tail of one of two":    {postgres.SelectTail, []any{int64(9), pair, "b", "a"}},
		"the tails of one of many":  {postgres.SelectTails, []any{int64(9), room, "a", []string{"b", "c"}}},
		"a page of one of two":      {postgres.SelectInbox, []any{pair, "b", int64(30_100), int64(51)}},
		"a page of one of many":     {postgres.SelectInbox, []any{room, "c", int64(100), int64(51)}},
		"the history of two":        {postgres.SelectHistory, []any{pair, "a", int64(math.MaxInt64), int64(51)}},
		"the history of many":       {postgres.SelectOwn, []any{room, "c", int64(10_050), int64(51)}},
		"the history of a sender":   {postgres.SelectOwn, []any{room, "a", int64(math.MaxInt64), int64(51)}}, // after everything that c has sent
		"the log of a conversation": {postgres.SelectConversationLog, []any{int64(0), int64(51), pair}},
	} {
		plan := explain(t, dsn, q.query, q.args)
		for _, found := range regexp.MustCompile(`(?:actual rows=|Removed by (?:Join )?Filter: )([0-9]+)`).FindAllStringSubmatch(plan, -1) {
			if rows, err := strconv.Atoi(found[1]); err != nil || rows > most {
				t.Errorf("%s: %s, want %d at most:\n%s", name, found[0], most, plan)
				break
			}
		}
	}
}

// explain runs a query and returns the server's plan.
func explain(t *testing.T, dsn, query string, args []any) string {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	rows, err := c.Query(ctx, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+query, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
