package storetest

import (
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

var steerTests = []test{
	{"a message of the operator goes to those named and is marked", sayMarked},
	{"the operator cannot write to an expired conversation", sayExpired},
	{"while paused, changes are refused and reads work", pauseRefuses},
	{"a pause of everything and one of a conversation are independent", pauseAll},
	{"while paused, nobody joins and nothing is extended or begun", pauseBegins},
	{"a search finds every term, newest first", searchFinds},
	{"a search continues where it stopped", searchGoesOn},
	{"calls and messages are counted", counts},
}

func sayMarked(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	sent := must(w.a.Say(t.Context(), bridge.SayRequest{Conversation: p.A.Conversation, To: []bridge.SessionID{bridge.SessionB}, Text: "stop, " + secret}))(t)
	equal(t, "sent", []int64{int64(len(sent)), sent[0].Seq}, []int64{1, 1})
	must(w.b.Say(t.Context(), bridge.SayRequest{Conversation: p.A.Conversation, Text: "all"}))(t)
	equal(t, "to a", len(must(w.b.Check(t.Context(), p.A, bridge.CheckRequest{}, nil))(t).Messages), 1)
	got := must(w.b.Check(t.Context(), p.B, bridge.CheckRequest{}, nil))(t).Messages
	equal(t, "to b", []string{got[0].From, got[0].Text, got[1].From}, []string{bridge.Operator, "stop, GITHUB_TOKEN_REDACTED", bridge.Operator})
	_, err := w.a.Say(t.Context(), bridge.SayRequest{Conversation: p.A.Conversation, To: []bridge.SessionID{"c"}, Text: "x"})
	equal(t, "to nobody", err != nil, true)
	_, err = w.a.Say(t.Context(), bridge.SayRequest{Conversation: "conv_0000000000000000", Text: "x"})
	wantError(t, err, bridge.ErrNotFound)
}

func sayExpired(t *testing.T, w *world) {
	p := w.pair(t)
	w.clock.Advance(bridge.DefaultTTL)
	_, err := w.a.Say(t.Context(), bridge.SayRequest{Conversation: p.A.Conversation, Text: "x"})
	wantError(t, err, bridge.ErrExpired)
	equal(t, "entry", w.lastEntry(t), "operator say refused")
}

func pauseRefuses(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	equal(t, "changed", []bool{must(w.a.Pause(t.Context(), p.A.Conversation))(t), must(w.b.Pause(t.Context(), p.A.Conversation))(t)}, []bool{true, false})
	_, err := w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrPaused)
	equal(t, "entry", w.lastEntry(t), "a send_to_partner refused")
	_, err = w.b.Send(t.Context(), bridge.Credentials{Conversation: p.A.Conversation, Session: "a", Token: strings.Repeat("0", 64)}, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrUnauthorized) // without proof the pause is not revealed
	must(w.a.Check(t.Context(), p.A, bridge.CheckRequest{}, nil))(t)
	must(w.a.Send(t.Context(), other.A, bridge.SendRequest{Text: "x"}))(t)
	equal(t, "resumed", must(w.a.Resume(t.Context(), p.A.Conversation))(t), true)
	must(w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}))(t)
	_, err = w.a.Pause(t.Context(), "conv_0000000000000000")
	wantError(t, err, bridge.ErrNotFound)
}

func pauseAll(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.a.Pause(t.Context(), ""))(t)
	must(w.a.Pause(t.Context(), p.A.Conversation))(t)
	equal(t, "shown", must(w.b.Conversation(t.Context(), p.A.Conversation))(t).PausedAt.IsZero(), false)
	must(w.a.Resume(t.Context(), p.A.Conversation))(t)
	_, err := w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrPaused)
	must(w.a.Pause(t.Context(), p.A.Conversation))(t)
	equal(t, "resumed", must(w.a.Resume(t.Context(), ""))(t), true)
	must(w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}))(t)
}

func pauseBegins(t *testing.T, w *world) {
	ctx := t.Context()
	c := create(t, w.a, bridge.CreateRequest{})
	a := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
	for name, conversation := range map[string]string{"one": c.ID, "all": ""} {
		must(w.a.Pause(ctx, conversation))(t)
		_, err := w.b.Join(ctx, c.JoinCode)
		wantError(t, err, bridge.ErrPaused)
		equal(t, name+": entry", w.lastEntry(t), "? join_conversation refused")
		_, err = w.b.Join(ctx, "00000-00000")
		wantError(t, err, bridge.ErrBadJoinCode) // without a valid code the pause is not revealed
		_, err = w.b.Extend(ctx, a, time.Hour*24)
		wantError(t, err, bridge.ErrPaused)
		equal(t, name+": entry", w.lastEntry(t), "a extend_conversation refused")
		must(w.b.UpdateStatus(ctx, a, bridge.StatusWaiting))(t)
		must(w.b.ExtendByOperator(ctx, c.ID, bridge.DefaultTTL))(t)
		c.JoinCode = must(w.b.ExtendByOperator(ctx, c.ID, 0))(t).JoinCode
		before := len(must(w.b.Conversations(ctx))(t))
		_, err = w.b.Create(ctx, bridge.CreateRequest{MyRole: "x", PartnerRole: "y"})
		if conversation == "" {
			wantError(t, err, bridge.ErrAllPaused)
			equal(t, name+": entry", w.lastEntry(t), "a create_conversation refused")
			equal(t, name+": none is made", len(must(w.b.Conversations(ctx))(t)), before)
		} else {
			wantError(t, err, nil)
		}
		must(w.a.Resume(ctx, ""))(t)
	}
	must(w.b.Join(ctx, c.JoinCode))(t)
	create(t, w.b, bridge.CreateRequest{})
	w.verify(t)
}

func searchFinds(t *testing.T, w *world) {
	p := w.pair(t)
	for _, text := range []string{"the staging database", "Database of the café", "nothing"} {
		must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: text}))(t)
		w.clock.Advance(time.Hour)
	}
	find := func(words string, q bridge.SearchQuery) (texts []string) {
		q.Terms = must(bridge.ParseSearch(words))(t)
		for _, f := range must(w.b.Search(t.Context(), q))(t).Found {
			texts = append(texts, f.Message.Text)
		}
		return texts
	}
	equal(t, "newest first", find("DATABASE", bridge.SearchQuery{}), []string{"Database of the café", "the staging database"})
	equal(t, "all terms", find("cafe data*", bridge.SearchQuery{}), []string{"Database of the café"})
	equal(t, "a phrase", find(`"database staging"`, bridge.SearchQuery{}), []string(nil))
	equal(t, "operators are words", find(`database OR nothing) - NEAR(`, bridge.SearchQuery{}), []string(nil))
	equal(t, "since", find("database", bridge.SearchQuery{Since: w.clock.Now().Add(-150 * time.Minute)}), []string{"Database of the café"})
	equal(t, "another conversation", find("database", bridge.SearchQuery{Conversation: w.pair(t).A.Conversation}), []string(nil))
	equal(t, "limit", find("database", bridge.SearchQuery{Limit: 1}), []string{"Database of the café"})
	marked := must(w.b.Search(t.Context(), bridge.SearchQuery{Terms: must(bridge.ParseSearch("cafe dat*"))(t)}))(t)
	hit := func(words string) string { return bridge.MarkBegin + words + bridge.MarkEnd }
	equal(t, "marked", marked.Found[0].Excerpt, hit("Database")+" of the "+hit("café"))
}

// searchGoesOn checks that each message is found exactly once, whatever interrupts the
// search.
func searchGoesOn(t *testing.T, w *world) {
	p := w.pair(t)
	want := []string{}
	for i := range 7 {
		text := "the word " + strings.Repeat("and more ", i)
		if i%3 == 1 {
			text = "something else"
		} else {
			want = append([]string{text}, want...)
		}
		must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: text}))(t)
		w.clock.Advance(10 * time.Minute)
	}
	first := w.clock.Now().Add(-70 * time.Minute)
	for name, q := range map[string]bridge.SearchQuery{
		"by what was found":   {Limit: 2},
		"by what was read":    {MaxBytes: 1},
		"in one conversation": {MaxBytes: 1, Conversation: p.A.Conversation},
	} {
		var got []string
		pages := 0
		q.Terms = must(bridge.ParseSearch("word"))(t)
		for pages < 20 {
			result := must(w.b.Search(t.Context(), q))(t)
			for _, f := range result.Found {
				got = append(got, f.Message.Text)
			}
			pages++
			if result.Before > 0 && result.Reached.Before(first) {
				t.Errorf("%s: reached %s, before the first message", name, result.Reached)
			}
			if q.Before = result.Before; q.Before == 0 {
				break
			}
		}
		equal(t, name, got, want)
		if pages < 3 || pages > 9 {
			t.Errorf("%s: %d pages", name, pages)
		}
	}
	old := must(w.b.Search(t.Context(), bridge.SearchQuery{Terms: must(bridge.ParseSearch("word"))(t), MaxBytes: 1, Since: w.clock.Now()}))(t)
	equal(t, "messages that are too old are read like others", old.Before > 0, true)
	equal(t, "and not found", len(old.Found), 0)
}

func counts(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "ghp_" + strings.Repeat("aB3dE6gH9", 4)}))(t)
	must(w.a.Say(t.Context(), bridge.SayRequest{Conversation: p.A.Conversation, Text: "x"}))(t)
	got := must(w.b.CountMessages(t.Context(), time.Time{}))(t)
	equal(t, "senders", got.BySender, map[string]int64{"a": 1, bridge.Operator: 2})
	equal(t, "kinds", got.ByKind, map[string]int64{"GITHUB_TOKEN": 1})
	sends := int64(0)
	for _, c := range must(w.b.Calls(t.Context(), time.Time{}))(t) {
		if c.Action == "send_to_partner" && c.Outcome == "ok" {
			sends += c.Count
		}
	}
	equal(t, "sends", sends, 1)
	equal(t, "later", len(must(w.b.Calls(t.Context(), w.clock.Now().Add(time.Hour)))(t)), 0)
}
