package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

var gateTests = []test{
	{"the proof comes before the limit", proofBeforeLimit},
	{"failed proofs over their limit are counted in the next entry", failuresCounted},
	{"a valid proof passes while failed ones are throttled", validPassesThrottle},
	{"a call over the limit is recorded and changes nothing", limitedChangesNothing},
	{"of many refusals the first are recorded and the rest counted", floodCounted},
	{"a repeated idempotency key is charged as reading", repeatsCharged},
	{"limits hold across processes", limitsAcrossProcesses},
	{"each session and conversation has its own limits", limitsApart},
	{"limits refill with time", limitsComeBack},
	{"a refused call spends no writes", refusedSpendsNoWrites},
	{"a refused creation spends no creations", refusedSpendsNoCreations},
	{"creations are limited per store", creationsLimited},
	{"every operation leaves one entry", oneEntryEach},
	{"an expired conversation accepts nothing", expiredAcceptsNothing},
}

// withWrongToken returns c with a token that belongs to no session.
func withWrongToken(c bridge.Credentials) bridge.Credentials {
	c.Token = strings.Repeat("0", len(c.Token))
	return c
}

func perMinute(n int) ratelimit.Limit { return ratelimit.Limit{PerMinute: n} }

func proofBeforeLimit(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1)})
	p := w.pair(t)
	w.send(t, s, p.A)
	w.unchanged(t, func() {
		_, err := s.Send(t.Context(), withWrongToken(p.A), bridge.SendRequest{Text: "x"})
		wantError(t, err, bridge.ErrUnauthorized)
	})
	equal(t, "entry", w.lastEntry(t), "a send_to_partner unauthorized")
}

func failuresCounted(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Failures: perMinute(2)})
	p := w.pair(t)
	before := w.verify(t).Seq
	for i := range 5 {
		_, err := s.CheckPartners(t.Context(), withWrongToken(p.A), "")
		if i < 2 {
			wantError(t, err, bridge.ErrUnauthorized)
		} else {
			wantLimited(t, err)
		}
	}
	equal(t, "entries within the limit", w.verify(t).Seq-before, 2)
	w.clock.Advance(time.Minute)
	_, err := s.CheckPartners(t.Context(), withWrongToken(p.A), "")
	wantError(t, err, bridge.ErrUnauthorized)
	log := w.log(t)
	equal(t, "details of the next entry", log[len(log)-1].Details, `{"unlogged_before":3}`)
}

func validPassesThrottle(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Failures: perMinute(1), Writes: perMinute(3)})
	p := w.pair(t)
	for range 10 {
		_, _ = s.Send(t.Context(), withWrongToken(p.A), bridge.SendRequest{Text: "x"})
	}
	for range 3 {
		w.send(t, s, p.A)
	}
}

func floodCounted(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1), Failures: perMinute(2)})
	p := w.pair(t)
	w.send(t, s, p.A)
	before := w.verify(t).Seq
	for range 5 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		wantLimited(t, err)
	}
	equal(t, "entries", w.verify(t).Seq-before, 2)
	w.clock.Advance(30 * time.Second) // by now one more refusal may be logged, but no call is allowed yet
	_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantLimited(t, err)
	log := w.log(t)
	equal(t, "the next entry counts the rest", strings.Contains(log[len(log)-1].Details, `"unlogged_before":3`), true)
}

func repeatsCharged(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1), Reads: perMinute(3)})
	p := w.pair(t)
	request := bridge.SendRequest{Text: "x", IdempotencyKey: "once"}
	must(s.Send(t.Context(), p.A, request))(t)
	for range 3 {
		equal(t, "repeated", must(s.Send(t.Context(), p.A, request))(t).Repeated, true)
	}
	_, err := s.Send(t.Context(), p.A, request)
	wantLimited(t, err)
}

func limitedChangesNothing(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1)})
	p := w.pair(t)
	w.send(t, s, p.A)
	w.unchanged(t, func() {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		wantLimited(t, err)
	})
	equal(t, "entry", w.lastEntry(t), "a send_to_partner rate_limited")
	w.verify(t)
}

func limitsAcrossProcesses(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Writes: perMinute(3)})
	one, other := w.a, w.b
	p := w.pair(t)
	w.send(t, one, p.A)
	w.send(t, other, p.A)
	w.send(t, one, p.A)
	for _, s := range []*bridge.Service{one, other} {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		wantLimited(t, err)
	}
}

func limitsApart(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1), Reads: perMinute(1)})
	p, q := w.pair(t), w.pair(t)
	for _, c := range []bridge.Credentials{p.A, p.B, q.A, q.B} {
		w.send(t, s, c)
		_, err := s.UpdateStatus(t.Context(), c, bridge.StatusWorking)
		wantError(t, err, nil)
	}
}

func limitsComeBack(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(2)})
	p := w.pair(t)
	w.send(t, s, p.A)
	w.send(t, s, p.A)
	_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantLimited(t, err)
	w.clock.Advance(30 * time.Second)
	w.send(t, s, p.A)
	_, err = s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantLimited(t, err)
}

func refusedSpendsNoWrites(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(1), Failures: perMinute(100)})
	p := w.pair(t)
	for range 5 {
		_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: ""})
		var invalid *bridge.InvalidError
		wantAs(t, err, &invalid)
		_, err = s.Send(t.Context(), withWrongToken(p.A), bridge.SendRequest{Text: "x"})
		wantError(t, err, bridge.ErrUnauthorized)
	}
	w.send(t, s, p.A)
}

func refusedSpendsNoCreations(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Creates: perMinute(1)})
	for range 5 {
		_, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "", PartnerRole: "yyy"})
		var invalid *bridge.InvalidError
		wantAs(t, err, &invalid)
		equal(t, "entry", w.lastEntry(t), "a create_conversation invalid")
	}
	_, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "xxx", PartnerRole: "yyy"})
	wantError(t, err, nil)
}

func creationsLimited(t *testing.T, w *world) {
	w.limit(t, bridge.Limits{Creates: perMinute(2)})
	one, other := w.a, w.b
	request := bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}
	for _, s := range []*bridge.Service{one, other} {
		_, err := s.Create(t.Context(), request)
		wantError(t, err, nil)
	}
	w.unchanged(t, func() {
		_, err := one.Create(t.Context(), request)
		wantLimited(t, err)
	})
	equal(t, "entry", w.lastEntry(t), "a create_conversation rate_limited")
}

func oneEntryEach(t *testing.T, w *world) {
	ctx := t.Context()
	created := must(w.a.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"}))(t)
	joined := must(w.b.Join(ctx, created.JoinCode))(t)
	a := bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA}
	b := bridge.Credentials{Conversation: joined.ID, Session: joined.Session, Token: joined.Token}
	w.send(t, w.a, a)
	d := w.check(t, w.b, b, 0)
	w.confirm(t, w.b, d)
	w.send(t, w.a, a)
	d = w.check(t, w.b, b, 0)
	must(0, w.b.GiveBack(ctx, d.Claim))(t)
	must(w.a.History(ctx, a, 0, 0))(t)
	must(w.a.UpdateStatus(ctx, a, bridge.StatusBlocked))(t)
	must(w.b.CheckPartners(ctx, b, ""))(t)
	must(w.b.Tokens(ctx, created.ID))(t)
	must(w.b.RotateTokens(ctx, created.ID))(t)
	must(w.b.Cleanup(ctx, 0, false))(t)

	var got []string
	for _, e := range w.log(t) {
		got = append(got, e.Session+" "+e.Action+" "+e.Outcome)
		conversation := created.ID
		if e.Action == "cleanup" {
			conversation = ""
		}
		equal(t, e.Action+": conversation", e.Conversation, conversation)
		equal(t, e.Action+": time", e.Time.Equal(w.clock.Now()), true)
	}
	equal(t, "entries", got, []string{
		"a create_conversation ok",
		"b join_conversation ok",
		"a send_to_partner ok",
		"b check_messages ok",
		"b messages_delivered ok",
		"a send_to_partner ok",
		"b check_messages ok",
		"b messages_given_back ok",
		"a get_history ok",
		"a update_my_status ok",
		"b check_partner_status ok",
		"operator show_tokens ok",
		"operator rotate_tokens ok",
		"operator cleanup ok",
	})
	w.verify(t)
}

func expiredAcceptsNothing(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.clock.Advance(bridge.DefaultTTL + bridge.Grace)
	w.unchanged(t, func() {
		for _, call := range calls(w.a, p.B) {
			wantError(t, call(), bridge.ErrUnauthorized)
		}
	})
	outcomes := map[string]int{}
	for _, e := range w.log(t)[2:] {
		outcomes[e.Outcome]++
	}
	equal(t, "outcomes", outcomes, map[string]int{"unauthorized": len(calls(w.a, p.B))})
}

// calls returns one call for each operation that needs credentials.
func calls(s *bridge.Service, c bridge.Credentials) []func() error {
	ctx := background()
	return []func() error{
		func() error { _, err := s.Send(ctx, c, bridge.SendRequest{Text: "x"}); return err },
		func() error { _, err := s.Check(ctx, c, bridge.CheckRequest{}, nil); return err },
		func() error { _, err := s.Check(ctx, c, bridge.CheckRequest{Wait: bridge.MaxWait}, nil); return err },
		func() error { _, err := s.History(ctx, c, 0, 0); return err },
		func() error { _, err := s.UpdateStatus(ctx, c, bridge.StatusWaiting); return err },
		func() error { _, err := s.CheckPartners(ctx, c, ""); return err },
	}
}

// entriesOf returns the entries with the given action.
func entriesOf(log []audit.Entry, action string) []audit.Entry {
	return slices.DeleteFunc(slices.Clone(log), func(e audit.Entry) bool { return e.Action != action })
}
