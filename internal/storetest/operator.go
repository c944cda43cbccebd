package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

var operatorTests = []test{
	{"conversations are listed, the newest first", conversationsListed},
	{"an unknown conversation is not found, and that is not recorded", unknownNotFound},
	{"rotating replaces both tokens", rotateTokens},
	{"rotating one token leaves the other session alone", rotateOneToken},
	{"rotating the token of no session is refused and recorded", rotateNoSession},
	{"cleanup removes what expired and nothing else", cleanupRemoves},
	{"a dry run of cleanup changes and records nothing", cleanupDryRun},
	{"cleanup reports how many unread messages it removed", cleanupCountsUnread},
	{"the last messages are read from the end", lastMessages},
	{"a read is recorded and changes nothing else", readingRecorded},
	{"the chain stays valid through cleanup", chainSurvivesCleanup},
	{"numbers continue to rise after cleanup", idsAfterCleanup},
	{"the log is paged and filtered", logPages},
	{"a walk of the log sees a single moment", walkIsOneMoment},
}

func conversationsListed(t *testing.T, w *world) {
	first := create(t, w.a, bridge.CreateRequest{Team: "blue"})
	w.clock.Advance(time.Second)
	second := create(t, w.a, bridge.CreateRequest{TTL: time.Hour})
	var got []bridge.Conversation
	for _, o := range must(w.b.Conversations(t.Context()))(t) {
		got = append(got, o.Conversation)
	}
	equal(t, "conversations", got, []bridge.Conversation{second.Conversation, first.Conversation})
	one := must(w.b.Conversation(t.Context(), first.ID))(t)
	equal(t, "one", one.Conversation, first.Conversation)
	equal(t, "roles", []string{one.Sessions[0].Role, one.Sessions[1].Role}, []string{"backend", "frontend"})
}

func unknownNotFound(t *testing.T, w *world) {
	const id = "conv_0123456789abcdef"
	_, err := w.a.Conversation(t.Context(), id)
	wantError(t, err, bridge.ErrNotFound)
	_, err = w.a.Tokens(t.Context(), id)
	wantError(t, err, bridge.ErrNotFound)
	_, err = w.a.RotateTokens(t.Context(), id)
	wantError(t, err, bridge.ErrNotFound)
	_, err = w.a.RotateToken(t.Context(), id, bridge.SessionB)
	wantError(t, err, bridge.ErrNotFound)
	equal(t, "head", w.verify(t).Seq, 0)
}

func tokensOf(p bridgetest.Pair) []bridge.Token {
	return []bridge.Token{{Session: bridge.SessionA, Token: p.A.Token}, {Session: bridge.SessionB, Token: p.B.Token}}
}

func rotateTokens(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	before := must(w.a.Tokens(t.Context(), p.A.Conversation))(t)
	equal(t, "derived again", before, tokensOf(p))
	after := must(w.b.RotateTokens(t.Context(), p.A.Conversation))(t)
	for _, old := range []bridge.Credentials{p.A, p.B} {
		_, err := w.a.CheckPartners(t.Context(), old, "")
		wantError(t, err, bridge.ErrUnauthorized)
	}
	p.A.Token, p.B.Token = after[0].Token, after[1].Token
	for _, c := range []bridge.Credentials{p.A, p.B, q.A, q.B} {
		_, err := w.a.CheckPartners(t.Context(), c, "")
		wantError(t, err, nil)
	}
}

func rotateOneToken(t *testing.T, w *world) {
	ctx := t.Context()
	p, q := w.pair(t), w.pair(t)
	w.send(t, w.a, p.A) // unread mail is kept for whoever gets the new token
	for _, session := range []bridge.SessionID{bridge.SessionB, bridge.SessionA} {
		out, stays := &p.B, &p.A
		if session == bridge.SessionA {
			out, stays = stays, out
		}
		fresh := must(w.b.RotateToken(ctx, p.A.Conversation, session))(t)
		_, err := w.a.CheckPartners(ctx, *out, "")
		wantError(t, err, bridge.ErrUnauthorized)
		out.Token = fresh
		for _, c := range []bridge.Credentials{*out, *stays, q.A, q.B} {
			_, err := w.a.CheckPartners(ctx, c, "")
			wantError(t, err, nil)
		}
	}
	equal(t, "derived again", must(w.a.Tokens(ctx, p.A.Conversation))(t), tokensOf(p))
	equal(t, "mail of the new session", len(w.check(t, w.a, p.B, 10).Messages), 1)
	var details []string
	for _, e := range entriesOf(w.log(t), "rotate_tokens") {
		details = append(details, e.Details)
	}
	equal(t, "recorded", details, []string{`{"session":"b"}`, `{"session":"a"}`})
}

func rotateNoSession(t *testing.T, w *world) {
	p := w.pair(t)
	for _, session := range []bridge.SessionID{"", "c", "A", "a ", "ab", "system", "operator", "a' OR '1'='1"} {
		_, err := w.a.RotateToken(t.Context(), p.A.Conversation, session)
		var invalid *bridge.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("rotating the token of %q: got %v, want an InvalidError", session, err)
		}
	}
	for _, c := range []bridge.Credentials{p.A, p.B} {
		_, err := w.a.CheckPartners(t.Context(), c, "")
		wantError(t, err, nil)
	}
	for _, e := range entriesOf(w.log(t), "rotate_tokens") {
		equal(t, "outcome", e.Outcome, bridge.OutcomeInvalid)
	}
	equal(t, "recorded", len(entriesOf(w.log(t), "rotate_tokens")), 8)
}

// expiredAndLive makes an expired conversation with three messages, of which one was
// read, and a live one.
func expiredAndLive(t *testing.T, w *world) (expired, live bridge.Credentials) {
	t.Helper()
	e := create(t, w.a, bridge.CreateRequest{TTL: bridge.MinTTL})
	l := w.pair(t)
	a := bridge.Credentials{Conversation: e.ID, Session: bridge.SessionA, Token: e.TokenA}
	b := bridge.Credentials{Conversation: e.ID, Session: bridge.SessionB, Token: e.TokenB}
	w.send(t, w.a, a)
	w.send(t, w.a, a)
	w.send(t, w.a, b)
	w.confirm(t, w.a, w.check(t, w.a, b, 1))
	w.send(t, w.a, l.A)
	w.clock.Advance(bridge.MinTTL + time.Minute)
	return a, l.A
}

func conversationsOf(all []bridge.Overview) []string {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.ID
	}
	return names
}

func cleanupRemoves(t *testing.T, w *world) {
	expired, live := expiredAndLive(t, w)
	removed := must(w.b.Cleanup(t.Context(), time.Minute+time.Second, false))(t)
	equal(t, "removed too early", len(removed), 0)
	removed = must(w.b.Cleanup(t.Context(), time.Minute, false))(t)
	equal(t, "removed", conversationsOf(removed), []string{expired.Conversation})
	equal(t, "left", conversationsOf(must(w.a.Conversations(t.Context()))(t)), []string{live.Conversation})
	equal(t, "its messages", len(must(w.a.Messages(t.Context(), expired.Conversation, 0, 10))(t)), 0)
	equal(t, "messages left", len(must(w.a.Messages(t.Context(), live.Conversation, 0, 10))(t)), 1)
	_, err := w.a.Conversation(t.Context(), expired.Conversation)
	wantError(t, err, bridge.ErrNotFound)
	w.send(t, w.a, live)
}

func cleanupDryRun(t *testing.T, w *world) {
	expired, _ := expiredAndLive(t, w)
	head := w.verify(t)
	w.unchanged(t, func() {
		removed := must(w.b.Cleanup(t.Context(), 0, true))(t)
		equal(t, "would be removed", conversationsOf(removed), []string{expired.Conversation})
	})
	equal(t, "head", w.verify(t), head)
}

func cleanupCountsUnread(t *testing.T, w *world) {
	expiredAndLive(t, w)
	removed := must(w.b.Cleanup(t.Context(), 0, false))(t)
	equal(t, "unread", []int64{removed[0].Sessions[0].Unread, removed[0].Sessions[1].Unread}, []int64{1, 1})
	log := w.log(t)
	equal(t, "details", log[len(log)-1].Details, `{"conversations":1,"unread_messages":2}`)
}

func chainSurvivesCleanup(t *testing.T, w *world) {
	expiredAndLive(t, w)
	before := w.log(t)
	head := w.verify(t)
	must(w.b.Cleanup(t.Context(), 0, false))(t)
	must(w.b.VerifyAudit(t.Context(), head))(t)
	equal(t, "the earlier entries", w.log(t)[:len(before)], before)
}

func idsAfterCleanup(t *testing.T, w *world) {
	_, live := expiredAndLive(t, w)
	last := must(w.a.Messages(t.Context(), live.Conversation, 0, 10))(t)[0]
	must(w.b.Cleanup(t.Context(), 0, false))(t)
	sent := w.send(t, w.a, live)
	if sent.ID <= last.ID || sent.Seq != last.Seq+1 {
		t.Errorf("got id %d and number %d after %d and %d", sent.ID, sent.Seq, last.ID, last.Seq)
	}
}

func logPages(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	for range 4 {
		w.send(t, w.a, p.A)
		w.send(t, w.a, q.A)
	}
	tests := []struct {
		name  string
		query bridge.AuditQuery
		want  []int64
	}{
		{"all", bridge.AuditQuery{}, upTo(1, 10)},
		{"first", bridge.AuditQuery{Limit: 3}, upTo(1, 3)},
		{"last, still in order", bridge.AuditQuery{Limit: 3, Last: true}, upTo(8, 10)},
		{"after", bridge.AuditQuery{After: 7}, upTo(8, 10)},
		{"of one conversation", bridge.AuditQuery{Conversation: q.A.Conversation}, []int64{2, 4, 6, 8, 10}},
		{"the last of it", bridge.AuditQuery{Conversation: q.A.Conversation, Limit: 2, Last: true}, []int64{8, 10}},
		{"after the end", bridge.AuditQuery{After: 10}, nil},
	}
	for _, tt := range tests {
		var got []int64
		for _, e := range must(w.b.AuditEntries(t.Context(), tt.query))(t) {
			got = append(got, e.Seq)
		}
		equal(t, tt.name, got, tt.want)
	}
}

func walkIsOneMoment(t *testing.T, w *world) {
	p := w.pair(t)
	for range 3 {
		w.send(t, w.a, p.A)
	}
	visited, sent := int64(0), false
	head := must(w.storeB.WalkAudit(t.Context(), func(audit.Base) error { return nil }, func(e audit.Entry) error {
		visited = e.Seq
		if e.Seq == 2 && !sent { // a spine entry has the number of the last entry that it covers
			sent = true
			w.send(t, w.a, p.A) // another process writes meanwhile
		}
		return nil
	}))(t)
	equal(t, "visited", visited, 4)
	equal(t, "head", head.Seq, 4)
	equal(t, "head afterwards", w.verify(t).Seq, 5)
}

func lastMessages(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	var ids []int64
	for i := range 7 {
		from := []bridge.Credentials{p.A, p.B}[i%2]
		ids = append(ids, must(w.a.Send(t.Context(), from, bridge.SendRequest{Text: "one", Action: bridge.ActionInfo}))(t).ID)
		must(w.a.Send(t.Context(), other.A, bridge.SendRequest{Text: "another's", Action: bridge.ActionInfo}))(t)
	}
	idsOf := func(before int64, limit int) (got []int64) {
		for _, m := range must(w.b.MessagesBefore(t.Context(), p.A.Conversation, before, limit))(t) {
			got = append(got, m.ID)
		}
		return got
	}
	equal(t, "the last three", idsOf(0, 3), ids[4:])
	equal(t, "those before", idsOf(ids[4], 3), ids[1:4])
	equal(t, "the first", idsOf(ids[1], 3), ids[:1])
	equal(t, "before the first", idsOf(ids[0], 3), nil)
	equal(t, "as read forwards", must(w.b.MessagesBefore(t.Context(), p.A.Conversation, 0, 100))(t), must(w.b.Messages(t.Context(), p.A.Conversation, 0, 100))(t))
}

func readingRecorded(t *testing.T, w *world) {
	p := w.pair(t)
	before := w.verify(t).Seq
	if err := w.a.RecordReading(t.Context(), p.A.Conversation); err != nil {
		t.Fatal(err)
	}
	equal(t, "head", w.verify(t).Seq, before+1)
	last := must(w.b.AuditEntries(t.Context(), bridge.AuditQuery{Limit: 1, Last: true}))(t)[0]
	equal(t, "entry", []string{last.Session, last.Action, last.Outcome, last.Conversation}, []string{bridge.Operator, "read_conversation", "ok", p.A.Conversation})
}

// brokenOperator are the operations of the operator.
var brokenOperator = []brokenOperation{
	simply("limits", func(ctx context.Context, c *commandWorld) (bridge.LimitReport, error) {
		return c.a.Limits(ctx, c.A.Conversation)
	}),
	simply("set limits", func(ctx context.Context, c *commandWorld) (bridge.LimitReport, error) {
		many := int64(1_000_000)
		return c.a.SetLimits(ctx, bridge.LimitChange{Messages: &many})
	}),
	simply("say to all", func(ctx context.Context, c *commandWorld) ([]bridge.Sent, error) {
		return c.a.Say(ctx, bridge.SayRequest{Conversation: c.A.Conversation, Text: "hello"})
	}),
	simply("where to cut the log", func(ctx context.Context, c *commandWorld) (int64, error) {
		return c.storeA.AuditCut(ctx, c.clock.Now())
	}),
	simply("pause", func(ctx context.Context, c *commandWorld) (bool, error) { return c.a.Pause(ctx, c.A.Conversation) }),
	prepared("resume", func(t *testing.T, c *commandWorld) func(context.Context) (bool, error) {
		must(c.a.Pause(t.Context(), c.A.Conversation))(t)
		return func(ctx context.Context) (bool, error) { return c.a.Resume(ctx, c.A.Conversation) }
	}),
	simply("pauses", func(ctx context.Context, c *commandWorld) (bridge.Pauses, error) { return c.a.Pauses(ctx) }),
	simply("count calls", func(ctx context.Context, c *commandWorld) ([]bridge.CallCount, error) {
		return c.a.Calls(ctx, c.clock.Now().Add(-time.Hour))
	}),
	simply("count messages", func(ctx context.Context, c *commandWorld) (bridge.MessageCount, error) {
		return c.a.CountMessages(ctx, time.Time{})
	}),
	simply("conversations", func(ctx context.Context, c *commandWorld) ([]bridge.Overview, error) { return c.a.Conversations(ctx) }),
	prepared("messages", func(t *testing.T, c *commandWorld) func(context.Context) ([]bridge.Message, error) {
		c.send(t, c.a.Service, c.A)
		return func(ctx context.Context) ([]bridge.Message, error) {
			return c.a.Messages(ctx, c.A.Conversation, 0, 10)
		}
	}),
	prepared("search", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.SearchResult, error) {
		c.send(t, c.a.Service, c.A)
		terms := must(bridge.ParseSearch("text"))(t)
		return func(ctx context.Context) (bridge.SearchResult, error) {
			return c.a.Search(ctx, bridge.SearchQuery{Terms: terms, Limit: 10})
		}
	}),
	simply("tokens", func(ctx context.Context, c *commandWorld) ([]bridge.Token, error) {
		return c.a.Tokens(ctx, c.A.Conversation)
	}),
	simply("rotate tokens", func(ctx context.Context, c *commandWorld) ([]bridge.Token, error) {
		return c.a.RotateTokens(ctx, c.A.Conversation)
	}),
	simply("record reading", func(ctx context.Context, c *commandWorld) (nothing, error) {
		return none(c.a.RecordReading(ctx, c.A.Conversation))
	}),
	prepared("cleanup", func(t *testing.T, c *commandWorld) func(context.Context) ([]bridge.Overview, error) {
		c.fill(t)
		c.clock.Advance(bridge.MaxTTL + time.Hour)
		return func(ctx context.Context) ([]bridge.Overview, error) { return c.a.Cleanup(ctx, time.Minute, false) }
	}),
	simply("entries of the log", func(ctx context.Context, c *commandWorld) ([]audit.Entry, error) {
		return c.a.AuditEntries(ctx, bridge.AuditQuery{})
	}),
	simply("verify the log", func(ctx context.Context, c *commandWorld) (audit.Head, error) {
		return c.a.VerifyAudit(ctx, audit.Head{})
	}),
}

// fill adds rows of every kind to the store.
func (c *commandWorld) fill(t *testing.T) {
	t.Helper()
	c.open(t)
	c.ask(t, c.A, "ls")
	c.send(t, c.a.Service, c.A)
	c.claim(t, c.A, "a.go")
	c.write(t, c.A, "a", "first\n", 0)
	c.step(t, c.A, "first")
	room := c.room(t, 3)
	c.sendTo(t, room[0], "x", bridge.Everyone)
	team := c.team(t, "blue", "backend")
	c.assign(t, team.a[0], "the task", "")
}
