package storetest

import (
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

var limitTests = []test{
	{"limits that are set hold in every process from the next call on", limitsSet},
	{"a conversation can have limits of its own", limitsOfConversation},
	{"setting limits is recorded", limitsRecorded},
	{"one caller that creates in a loop does not use up the limit of others", creatorsApart},
	{"one caller's wrong calls are not charged to another", refusalsApart},
	{"a full store refuses more data, but can be read, ended and cleaned up", quotaHolds},
	{"heartbeats and empty checks within a minute make one entry", callsFolded},
	{"a clock set back does not revive what has expired", clockSetBack},
	{"two clocks do not refill one limit twice", twoClocks},
	{"the session of a token is found by its fingerprint", suspectsFound},
}

// caller returns a service for another caller, with a clock that is off by skew.
func (w *world) caller(s bridge.Store, name string, skew time.Duration) *bridge.Service {
	return bridge.New(bridge.Config{Store: s, Key: w.key, Caller: name, Now: func() time.Time { return w.clock.Now().Add(skew) }})
}

func limitsSet(t *testing.T, w *world) {
	for _, n := range []int{1, 2, 0} {
		w.clock.Advance(time.Hour)
		p := w.pair(t)
		w.limit(t, bridge.Limits{Writes: perMinute(n)})
		for range n {
			w.send(t, w.b, p.A)
		}
		_, err := w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		if n == 0 {
			wantError(t, err, nil)
		} else {
			wantLimited(t, err)
		}
	}
	report := must(w.b.Limits(t.Context(), ""))(t)
	equal(t, "limit", report.Limits.Writes, ratelimit.Limit{})
	equal(t, "conversations", report.Usage.Conversations, 3)
}

func limitsOfConversation(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	w.limit(t, bridge.Limits{Writes: perMinute(1)})
	two := 2
	change := bridge.LimitChange{
		Conversation: p.A.Conversation,
		Windows:      map[bridge.LimitKind]bridge.WindowChange{bridge.LimitWrites: {PerMinute: &two}},
	}
	must(w.b.SetLimits(t.Context(), change))(t)
	w.send(t, w.a, p.A)
	w.send(t, w.a, p.A)
	w.send(t, w.a, q.A)
	for _, c := range []bridge.Credentials{p.A, q.A} {
		_, err := w.a.Send(t.Context(), c, bridge.SendRequest{Text: "x"})
		wantLimited(t, err)
	}
	change.Windows = map[bridge.LimitKind]bridge.WindowChange{bridge.LimitCreates: {PerMinute: &two}}
	_, err := w.b.SetLimits(t.Context(), change)
	var invalid *bridge.InvalidError
	wantAs(t, err, &invalid)
	change.Conversation = "conv_0000000000000000"
	change.Windows = map[bridge.LimitKind]bridge.WindowChange{bridge.LimitWrites: {PerMinute: &two}}
	_, err = w.b.SetLimits(t.Context(), change)
	wantError(t, err, bridge.ErrNotFound)
}

func limitsRecorded(t *testing.T, w *world) {
	nine := 9
	must(w.a.SetLimits(t.Context(), bridge.LimitChange{Windows: map[bridge.LimitKind]bridge.WindowChange{bridge.LimitWrites: {PerHour: &nine}}}))(t)
	equal(t, "entry", w.lastEntry(t), "operator set_limits ok")
	log := w.log(t)
	equal(t, "details", log[len(log)-1].Details, `{"writes":"9 a hour"}`)
	for _, s := range must(w.a.Limits(t.Context(), ""))(t).Sources() {
		if s.Kind == bridge.LimitWrites {
			equal(t, "source", s, bridge.SetLimit{Kind: s.Kind, Limit: ratelimit.Limit{PerHour: 9}, By: bridge.Operator, At: w.clock.Now()})
		}
	}
}

func creatorsApart(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Creates: perMinute(100), Creator: perMinute(3)})
	loop, other := w.caller(w.storeA, "loop", 0), w.caller(w.storeB, "other", 0)
	request := bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}
	made := 0
	for range 200 {
		if _, err := loop.Create(t.Context(), request); err == nil {
			made++
		} else {
			wantLimited(t, err)
		}
	}
	equal(t, "made in a loop", made, 3)
	for range 3 {
		must(other.Create(t.Context(), request))(t)
	}
}

func refusalsApart(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Reads: perMinute(2), Failures: perMinute(2)})
	flood, other := w.caller(w.storeA, "flood", 0), w.caller(w.storeB, "other", 0)
	for range 10 {
		_, _ = flood.Create(t.Context(), bridge.CreateRequest{PartnerRole: "yyy"})
		_, _ = flood.Join(t.Context(), "00000-00000")
	}
	_, err := other.Create(t.Context(), bridge.CreateRequest{PartnerRole: "yyy"})
	var invalid *bridge.InvalidError
	wantAs(t, err, &invalid)
	_, err = other.Join(t.Context(), "00000-00000")
	wantError(t, err, bridge.ErrBadJoinCode)
}

func quotaHolds(t *testing.T, w *world) {
	p := w.pair(t)
	w.limit(t, bridge.Limits{Quota: bridge.Usage{Messages: 2}})
	request := bridge.SendRequest{Text: "x", IdempotencyKey: "once"}
	must(w.a.Send(t.Context(), p.A, request))(t)
	w.send(t, w.a, p.A)
	full := func(err error) {
		t.Helper()
		var quota *bridge.QuotaError
		wantAs(t, err, &quota)
		equal(t, "what", quota.Fill, bridge.Fill{What: "messages", Used: 2, Most: 2})
	}
	w.unchanged(t, func() {
		_, err := w.b.Send(t.Context(), p.A, bridge.SendRequest{Text: "y"})
		full(err)
		_, err = w.b.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
		full(err)
	})
	equal(t, "repeated", must(w.b.Send(t.Context(), p.A, request))(t).Repeated, true)
	d := w.check(t, w.b, p.B, 0)
	equal(t, "messages", len(d.Messages), 2)
	w.confirm(t, w.b, d)
	must(w.b.UpdateStatus(t.Context(), p.B, bridge.StatusComplete))(t)
	w.clock.Advance(24 * time.Hour)
	must(w.b.Cleanup(t.Context(), 0, false))(t)
	w.send(t, w.b, w.pair(t).A)
	equal(t, "usage", must(w.a.Limits(t.Context(), ""))(t).Usage.Messages, 1)
}

func callsFolded(t *testing.T, w *world) {
	p := w.pair(t)
	start := w.clock.Now()
	for range 13 {
		must(w.a.Heartbeat(t.Context(), p.B))(t)
		w.check(t, w.b, p.B, 0)
		must(w.a.UpdateStatus(t.Context(), p.B, bridge.StatusWorking))(t)
		w.clock.Advance(10 * time.Second)
	}
	w.verify(t)
	for action, want := range map[string]int{"heartbeat": 3, "check_messages": 3, "update_my_status": 3} {
		equal(t, "entries of "+action, len(entriesOf(w.log(t), action)), want)
	}
	beats := entriesOf(w.log(t), "heartbeat")
	details := beats[len(beats)-1].Details
	for _, part := range []string{
		`"count":6`,
		`"first":"` + start.Add(70*time.Second).Format(time.RFC3339) + `"`,
		`"last":"` + start.Add(120*time.Second).Format(time.RFC3339) + `"`,
	} {
		if !strings.Contains(details, part) {
			t.Errorf("details %s lack %s", details, part)
		}
	}
	w.send(t, w.a, p.A)
	w.check(t, w.b, p.B, 0)
	equal(t, "a look that found something", w.lastEntry(t), "b check_messages ok")
}

func clockSetBack(t *testing.T, w *world) {
	old := create(t, w.a, bridge.CreateRequest{TTL: time.Hour})
	c := bridge.Credentials{Conversation: old.ID, Session: bridge.SessionA, Token: old.TokenA}
	w.clock.Advance(2 * time.Hour)
	must(0, w.a.RefuseOpenCall(t.Context(), "test", nil))(t) // advances the store's time
	w.clock.Advance(-90 * time.Minute)
	_, err := w.b.Send(t.Context(), c, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrExpired)
	_, err = w.b.Join(t.Context(), old.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeExpired)
	_, err = w.b.Say(t.Context(), bridge.SayRequest{Conversation: old.ID, Text: "x"})
	wantError(t, err, bridge.ErrExpired)
	equal(t, "workers", len(must(w.tasksB.Workers(t.Context()))(t)), 0)
	fresh := create(t, w.a, bridge.CreateRequest{TTL: time.Hour})
	c = bridge.Credentials{Conversation: fresh.ID, Session: bridge.SessionA, Token: fresh.TokenA}
	w.send(t, w.b, c)
	for range 5 {
		w.clock.Advance(10 * time.Minute)
		w.send(t, w.b, c)
	}
	w.clock.Advance(15 * time.Minute)
	_, err = w.b.Send(t.Context(), c, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrExpired)
}

func twoClocks(t *testing.T, w *world) {
	p := w.pair(t)
	w.limit(t, bridge.Limits{Writes: perMinute(10)})
	behind, ahead := w.caller(w.storeA, "", 0), w.caller(w.storeB, "", 10*time.Minute)
	sent := 0
	for range 20 {
		for _, s := range []*bridge.Service{behind, ahead} {
			if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err == nil {
				sent++
			}
		}
		w.clock.Advance(time.Second)
	}
	if sent > 10+10+4 { // the initial allowance, what ten minutes add, and what 20 seconds add
		t.Errorf("%d of 40 were sent in 20 seconds, at 10 a minute", sent)
	}
}

func suspectsFound(t *testing.T, w *world) {
	p, _ := w.pair(t), w.pair(t)
	send := func(text string) []string {
		w.send(t, w.a, p.A) // clears the tail, so that no secret can continue from it
		return must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: text}))(t).Redacted
	}
	digest := strings.Repeat("5e", 32)
	equal(t, "of a digest", len(send(digest)), 0)
	equal(t, "of a token", send("it is "+p.B.Token), []string{"BRIDGE_TOKEN"})
	equal(t, "inside of more digits", send("00"+p.B.Token+" ok"), []string{"BRIDGE_TOKEN"})
	before := p.B.Token
	must(w.b.RotateTokens(t.Context(), p.B.Conversation))(t)
	tokens := must(w.b.Tokens(t.Context(), p.B.Conversation))(t)
	p.A.Token = tokens[0].Token
	equal(t, "of the new token", send(tokens[1].Token), []string{"BRIDGE_TOKEN"})
	equal(t, "of the old one", len(send(before)), 0)
}
