package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

var claimTests = []test{
	{"all of a request is claimed, or nothing", claimAllOrNone},
	{"a refusal names the holder and the time that is left", claimRefusal},
	{"shared claims do not exclude each other", claimShared},
	{"a claim lasts while its holder is alive, and lapses in silence", claimLease},
	{"a sign of life does not restore a lapsed claim", claimLapsed},
	{"after the clock was set back, claims last while their holder is alive, and no longer", claimClockBack},
	{"a session releases its own claims and no others", claimRelease},
	{"claims of one team never cross another's", claimTeams},
	{"a claim for a task ends with it", claimTask},
	{"claims end with their conversation", claimExpired},
	{"a session that may not write may not claim", claimGate},
	{"secrets in paths and reasons are hidden", claimRedacted},
	{"of many concurrent claims one gets the path", claimAtOnce},
	{"edits of other agents' files are refused", claimGuard},
	{"a commit is judged for the agent that makes it", claimJudge},
	{"the number of claims of a session is limited", claimsBounded},
	{"claims that break the rules are refused", claimInvalid},
	{"the operator sees claims and ends them", claimOperator},
}

func (w *world) claim(t *testing.T, c bridge.Credentials, paths ...string) claims.Result {
	t.Helper()
	return must(w.claims.Take(t.Context(), c, claims.Request{Paths: paths}))(t)
}

// wantHeld fails the test unless the path is claimed by another session.
func (w *world) wantHeld(t *testing.T, c bridge.Credentials, path string) {
	t.Helper()
	_ = w.holder(t, c, path)
}

// holder is wantHeld, and returns the error that names the holder.
func (w *world) holder(t *testing.T, c bridge.Credentials, path string) *claims.HeldError {
	t.Helper()
	_, err := w.claimsB.Take(t.Context(), c, claims.Request{Paths: []string{path}})
	wantError(t, err, claims.ErrHeld)
	var held *claims.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	return held
}

// held lists the claims as "session path".
func (w *world) held(t *testing.T) []string {
	t.Helper()
	all, _, err := w.claimsB.Held(t.Context())
	wantError(t, err, nil)
	list := []string{}
	for _, c := range all {
		list = append(list, string(c.Session)+" "+c.Path)
	}
	return list
}

func claimAllOrNone(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.b, p.B)
	got := w.claim(t, p.A, "src/", "./docs//a.md", "docs/a.md")
	equal(t, "result", got, claims.Result{Changed: []string{"src/**", "docs/a.md"}, Held: []string{"docs/a.md", "src/**"}, Unread: 1})
	equal(t, "entry", w.lastEntry(t), "a claim_file ok")
	_, err := w.claimsB.Take(t.Context(), p.B, claims.Request{Paths: []string{"free.go", "src/a.go"}})
	wantError(t, err, claims.ErrHeld)
	equal(t, "entry", w.lastEntry(t), "b claim_file refused")
	equal(t, "held", w.held(t), []string{"a src/**", "a docs/a.md"})
	w.claim(t, p.B, "free.go")
	equal(t, "again", w.claim(t, p.A, "docs/a.md").Held, []string{"docs/a.md", "src/**"})
	w.verify(t)
}

func claimRefusal(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.claims.Take(t.Context(), p.A, claims.Request{Paths: []string{"src/**"}, Seconds: 100, Reason: "renames"}))(t)
	w.clock.Advance(30 * time.Second)
	got := w.holder(t, p.B, "src/a.go")
	equal(t, "holder", *got, claims.HeldError{
		Path: "src/a.go", Claimed: "src/**", Conversation: p.A.Conversation, Session: bridge.SessionA, Role: "backend", Reason: "renames", Left: 70 * time.Second,
	})
	if text := got.Error(); !strings.Contains(text, "src/a.go") || !strings.Contains(text, "70 seconds") {
		t.Errorf("it says %q", text)
	}
}

func claimShared(t *testing.T, w *world) {
	p := w.pair(t)
	shared := claims.Request{Paths: []string{"a.go"}, Shared: true}
	must(w.claims.Take(t.Context(), p.A, shared))(t)
	must(w.claimsB.Take(t.Context(), p.B, shared))(t)
	w.wantHeld(t, p.A, "a.go") // it cannot be claimed exclusively
	must(w.claims.Release(t.Context(), p.B, nil))(t)
	w.claim(t, p.A, "a.go")
	_, err := w.claimsB.Take(t.Context(), p.B, shared)
	wantError(t, err, claims.ErrHeld)
}

func claimLease(t *testing.T, w *world) {
	p := w.pair(t)
	w.claim(t, p.A, "a.go")
	for range 5 {
		w.clock.Advance(50 * time.Second)
		w.send(t, w.a, p.A)
	}
	w.wantHeld(t, p.B, "a.go")
	w.clock.Advance(59 * time.Second)
	w.wantHeld(t, p.B, "a.go")
	w.clock.Advance(time.Second)
	equal(t, "run out", w.held(t), []string{})
	w.claim(t, p.B, "a.go")
	w.wantHeld(t, p.A, "a.go")
}

func claimLapsed(t *testing.T, w *world) {
	signs := map[string]func(bridge.Credentials) error{
		"a message": func(c bridge.Credentials) error {
			_, err := w.a.Send(t.Context(), c, bridge.SendRequest{Text: "x"})
			return err
		},
		"a heartbeat": func(c bridge.Credentials) error { _, err := w.a.Heartbeat(t.Context(), c); return err },
		"a wait": func(c bridge.Credentials) error {
			return w.storeA.NoteSeen(t.Context(), c.Conversation, c.Session, w.clock.Now())
		},
	}
	for name, sign := range signs {
		p := w.pair(t)
		w.claim(t, p.A, "a.go")
		w.clock.Advance(time.Hour)
		wantError(t, sign(p.A), nil)
		equal(t, name, w.held(t), []string{})
	}
}

func claimClockBack(t *testing.T, w *world) {
	ended := make(chan struct{})
	close(ended)
	signs := map[string]func(bridge.Credentials){
		"heartbeats": func(c bridge.Credentials) { must(w.a.Heartbeat(t.Context(), c))(t) },
		"calls":      func(c bridge.Credentials) { w.send(t, w.a, c) },
		"waits": func(c bridge.Credentials) {
			must(w.a.Check(t.Context(), c, bridge.CheckRequest{Wait: time.Second}, ended))(t)
		},
	}
	pairs := map[string]bridgetest.Pair{}
	for name := range signs {
		pairs[name] = w.pair(t)
		w.claim(t, pairs[name].A, name)
	}
	w.clock.Advance(-2 * time.Hour)
	for range 20 {
		w.clock.Advance(20 * time.Second)
		for name, live := range signs {
			live(pairs[name].A)
		}
	}
	for name := range signs {
		w.wantHeld(t, pairs[name].B, name)
	}
	for range 4 { // each call advances the time of the store
		w.clock.Advance(20 * time.Second)
		w.send(t, w.b, w.pair(t).B)
	}
	for name, live := range signs {
		live(pairs[name].A) // which does not restore the claim
		must(w.claimsB.Take(t.Context(), pairs[name].B, claims.Request{Paths: []string{name}}))(t)
	}
}

func claimRelease(t *testing.T, w *world) {
	p := w.pair(t)
	w.claim(t, p.A, "a.go", "b.go", "c.go")
	for _, paths := range [][]string{{"a.go"}, {"none.go"}} {
		_, err := w.claimsB.Release(t.Context(), p.B, paths)
		wantError(t, err, claims.ErrNotHeld)
		equal(t, "entry", w.lastEntry(t), "b release_file refused")
	}
	equal(t, "none of its own", must(w.claimsB.Release(t.Context(), p.B, nil))(t), claims.Result{})
	_, err := w.claims.Release(t.Context(), p.A, []string{"a.go", "none.go"})
	wantError(t, err, claims.ErrNotHeld)
	equal(t, "held", w.held(t), []string{"a a.go", "a b.go", "a c.go"})
	equal(t, "one", must(w.claims.Release(t.Context(), p.A, []string{"./b.go"}))(t), claims.Result{Changed: []string{"b.go"}, Held: []string{"a.go", "c.go"}})
	equal(t, "the rest", must(w.claims.Release(t.Context(), p.A, nil))(t).Changed, []string{"a.go", "c.go"})
	w.claim(t, p.B, "a.go")
}

func claimTeams(t *testing.T, w *world) {
	blue, other := w.team(t, "blue", "backend", "tester"), w.pair(t)
	w.claim(t, blue.b[0], "a.go")
	w.claim(t, other.A, "a.go")
	held := w.holder(t, blue.b[1], "a.go")
	equal(t, "holder", held.Conversation, blue.b[0].Conversation)
	w.claim(t, blue.a[0], "b.go")
	w.claim(t, blue.a[1], "b.go") // the orchestrator counts as one agent
	w.wantHeld(t, blue.b[0], "b.go")
	_, err := w.claimsB.Release(t.Context(), other.A, []string{"b.go"})
	wantError(t, err, claims.ErrNotHeld)
}

func claimTask(t *testing.T, w *world) {
	team := w.team(t, "blue", "backend", "tester")
	task := w.assign(t, team.a[0], "x", "")
	request := claims.Request{Paths: []string{"a.go"}, Task: task.ID}
	for _, c := range []bridge.Credentials{team.b[1], w.pair(t).A} {
		_, err := w.claims.Take(t.Context(), c, request)
		wantError(t, err, claims.ErrNoTask)
	}
	must(w.claims.Take(t.Context(), team.b[0], request))(t)
	w.wantHeld(t, team.b[1], "a.go")
	w.report(t, team.b[0], task.ID, tasks.Done, "")
	equal(t, "held", w.held(t), []string{})
	_, err := w.claims.Take(t.Context(), team.b[0], request)
	wantError(t, err, claims.ErrNoTask)
	w.claim(t, team.b[1], "a.go")
}

func claimExpired(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.claims.Take(t.Context(), p.A, claims.Request{Paths: []string{"a.go"}, Seconds: claims.MaxSeconds}))(t)
	w.clock.Advance(bridge.DefaultTTL - time.Minute)
	w.claim(t, p.A, "b.go")
	w.clock.Advance(time.Minute)
	equal(t, "held", w.held(t), []string{})
	must(w.a.Cleanup(t.Context(), 0, false))(t)
	equal(t, "left", len(must(w.storeB.Claims(t.Context(), w.clock.Now()))(t)), 0)
}

func claimGate(t *testing.T, w *world) {
	p := w.pair(t)
	w.claim(t, p.A, "a.go")
	_, err := w.claimsB.Release(t.Context(), withWrongToken(p.A), nil)
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.claimsB.Take(t.Context(), withWrongToken(p.B), claims.Request{Paths: []string{"b.go"}})
	wantError(t, err, bridge.ErrUnauthorized)
	must(w.a.Pause(t.Context(), p.A.Conversation))(t)
	_, err = w.claims.Take(t.Context(), p.A, claims.Request{Paths: []string{"b.go"}})
	wantError(t, err, bridge.ErrPaused)
	_, err = w.claims.Release(t.Context(), p.A, nil)
	wantError(t, err, bridge.ErrPaused)
	equal(t, "held", w.held(t), []string{"a a.go"})
}

func claimRedacted(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	must(w.claims.Take(t.Context(), p.A, claims.Request{Paths: []string{"dir/" + secret}, Reason: "uses " + secret}))(t)
	all, _, err := w.claims.Held(t.Context())
	wantError(t, err, nil)
	equal(t, "kept", []string{all[0].Path, all[0].Reason}, []string{"dir/GITHUB_TOKEN_REDACTED", "uses GITHUB_TOKEN_REDACTED"})
	for _, e := range w.log(t) {
		if strings.Contains(e.Details, secret) {
			t.Errorf("the log has it: %s", e.Details)
		}
	}
	must(w.claims.Release(t.Context(), p.A, []string{"dir/" + secret}))(t)
}

func claimAtOnce(t *testing.T, w *world) {
	team := w.team(t, "blue", "1", "2", "3", "4", "5", "6", "7", "8")
	var all sync.WaitGroup
	refused := make(chan error, len(team.b))
	for i, c := range team.b {
		s := []*claims.Service{w.claims, w.claimsB}[i%2]
		all.Go(func() {
			_, err := s.Take(background(), c, claims.Request{Paths: []string{fmt.Sprintf("own%d.go", i), "src/a.go"}})
			refused <- err
		})
	}
	all.Wait()
	close(refused)
	holders := 0
	for err := range refused {
		if err == nil {
			holders++
			continue
		}
		wantError(t, err, claims.ErrHeld)
	}
	equal(t, "holders", holders, 1)
	equal(t, "claims", len(w.held(t)), 2)
	w.verify(t)
}

// claimGuard checks that the guard refuses paths held by another agent of the team and
// records that, and that using the guard keeps the editor's own claims alive.
func claimGuard(t *testing.T, w *world) {
	team, other := w.team(t, "blue", "backend", "tester"), w.pair(t)
	w.claim(t, team.b[0], "src/**", "caf\u00e9.txt")
	w.claim(t, other.A, "docs/**")
	for _, tt := range []struct {
		name   string
		editor claims.Editor
		path   string
		free   bool
	}{
		{"its own", claims.Editor{team.b[0]}, "src/a.go", true},
		{"another's", claims.Editor{team.b[1]}, "src/a.go", false},
		{"in another case", claims.Editor{team.b[1]}, "SRC/A.go", false},
		{"composed otherwise", claims.Editor{team.b[1]}, "cafe\u0301.txt", false},
		{"everything below a folder", claims.Editor{team.b[1]}, "**", false},
		{"a free one", claims.Editor{team.b[1]}, "README.md", true},
		{"another team's", claims.Editor{team.b[1]}, "docs/a.md", true},
		{"held in one of its two teams", claims.Editor{other.B, team.a[0]}, "src/a.go", false},
		{"held by one of its two sessions", claims.Editor{other.B, team.b[0]}, "src/a.go", true},
	} {
		err := w.guard(t, tt.editor, "free.txt", tt.path)
		if free := err == nil; free != tt.free || !free && !errors.Is(err, claims.ErrHeld) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	w.clock.Advance(50 * time.Second)
	wantError(t, w.guard(t, claims.Editor{team.b[0]}, "src/a.go"), nil)
	w.clock.Advance(50 * time.Second)
	w.wantHeld(t, team.b[1], "src/a.go")
	refusals := 0
	for _, e := range w.log(t) {
		if e.Action == "guard_file" && e.Outcome == bridge.OutcomeRefused {
			refusals++
		}
	}
	equal(t, "refusals", refusals, 5)
	w.verify(t)
}

// guard judges paths and records the result.
func (w *world) guard(t *testing.T, e claims.Editor, paths ...string) error {
	t.Helper()
	j := must(w.claimsB.Judge(t.Context(), e, paths))(t)
	return w.claimsB.Record(t.Context(), e, j, paths)
}

func claimJudge(t *testing.T, w *world) {
	team, other := w.team(t, "blue", "backend", "tester"), w.pair(t)
	w.claim(t, team.b[0], "src/**")
	w.claim(t, other.A, "docs/**")
	for _, tt := range []struct {
		name   string
		editor claims.Editor
		want   []string
	}{
		{"a person", nil, []string{"docs/a.md", "src/a.go"}},
		{"an agent of the team", claims.Editor{{Conversation: team.b[0].Conversation}}, []string{"src/a.go"}},
		{"the holder", claims.Editor{team.b[0]}, nil},
		{"another agent of the team", claims.Editor{team.b[1]}, []string{"src/a.go"}},
	} {
		j := must(w.claims.Judge(t.Context(), tt.editor, []string{"src/a.go", "docs/a.md", "free"}))(t)
		equal(t, tt.name, slices.Sorted(maps.Keys(j.Blocks)), tt.want)
	}
	_, err := w.claims.Judge(t.Context(), claims.Editor{{Conversation: "conv_0000000000000000"}}, []string{"src/a.go"})
	wantError(t, err, bridge.ErrNotFound)
}

func claimsBounded(t *testing.T, w *world) {
	p := w.pair(t)
	for i := range claims.MaxHeld {
		w.claim(t, p.A, fmt.Sprintf("%d.go", i))
	}
	w.claim(t, p.A, "0.go") // replaces the first
	_, err := w.claims.Take(t.Context(), p.A, claims.Request{Paths: []string{"more.go"}})
	wantError(t, err, claims.ErrTooMany)
	if !strings.Contains(err.Error(), fmt.Sprintf(" %d ", claims.MaxHeld)) {
		t.Errorf("ErrTooMany names another limit: %v", err)
	}
}

func claimInvalid(t *testing.T, w *world) {
	p := w.pair(t)
	for field, all := range map[string][]claims.Request{
		"paths": {
			{},
			{Paths: []string{""}},
			{Paths: []string{"/etc/passwd"}},
			{Paths: []string{"~/x"}},
			{Paths: []string{`C:\x`}},
			{Paths: []string{"C:/x"}},
			{Paths: []string{"a/../b"}},
			{Paths: []string{"a\x1b[2J"}},
			{Paths: []string{"\xff"}},
			{Paths: []string{strings.Repeat("x", claims.MaxPathLength+1)}},
			{Paths: strings.Split(strings.Repeat("x/", claims.MaxPaths), "/")},
		},
		"seconds": {{Paths: []string{"a"}, Seconds: claims.MinSeconds - 1}, {Paths: []string{"a"}, Seconds: claims.MaxSeconds + 1}},
		"reason":  {{Paths: []string{"a"}, Reason: strings.Repeat("é", claims.MaxReason+1)}},
		"task_id": {{Paths: []string{"a"}, Task: -1}},
	} {
		for _, r := range all {
			_, err := w.claims.Take(t.Context(), p.A, r)
			wantInvalid(t, err, field)
			equal(t, "entry", w.lastEntry(t), "a claim_file invalid")
		}
	}
	w.claim(t, p.A, "caf\u0065\u0301.go") // an e followed by a combining accent
	w.wantHeld(t, p.B, "caf\u00e9.go")
}

func claimOperator(t *testing.T, w *world) {
	p := w.pair(t)
	w.claim(t, p.A, "a.go")
	all, now, err := w.claimsB.Held(t.Context())
	wantError(t, err, nil)
	equal(t, "listed", []any{len(all), all[0].Role, all[0].Left(now)}, []any{1, "backend", time.Minute})
	wantError(t, w.claimsB.Remove(t.Context(), all[0]), nil)
	equal(t, "entry", w.lastEntry(t), "operator release_claim ok")
	wantError(t, w.claims.Remove(t.Context(), all[0]), claims.ErrNoClaim)
	w.claim(t, p.B, "a.go")
	w.verify(t)
}

// brokenClaims are the operations on claims.
var brokenClaims = []brokenOperation{
	simply("claim", func(ctx context.Context, c *commandWorld) (claims.Result, error) {
		return c.claims.Take(ctx, c.A, claims.Request{Paths: []string{"a.go", "src/**"}, Reason: "renames"})
	}),
	claimed("release", func(ctx context.Context, c *commandWorld) (claims.Result, error) {
		return c.claims.Release(ctx, c.A, []string{"a.go"})
	}),
	claimed("claims", func(ctx context.Context, c *commandWorld) ([]claims.Claim, error) {
		held, _, err := c.claims.Held(ctx)
		return held, err
	}),
	claimed("judge", func(ctx context.Context, c *commandWorld) (claims.Judgement, error) {
		return c.claims.Judge(ctx, claims.Editor{c.B}, []string{"a.go"})
	}),
}

func claimed[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return prepared(name, func(t *testing.T, c *commandWorld) func(context.Context) (T, error) {
		c.claim(t, c.A, "a.go", "b.go")
		return func(ctx context.Context) (T, error) { return call(ctx, c) }
	})
}
