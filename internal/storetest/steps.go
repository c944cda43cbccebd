package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

var stepTests = []test{
	{"steps are kept in order, and read by number and from the end", stepLife},
	{"a step is neither a message nor mail", stepWakesNobody},
	{"secrets are hidden", stepRedacted},
	{"a text of more than one line is refused", stepTexts},
	{"a step belongs to an open task of the conversation", stepTask},
	{"a session that may not write may not log", stepGate},
	{"steps have a limit of their own", stepLimit},
	{"of many concurrent steps none is lost and no number is used twice", stepAtOnce},
	{"the last steps are kept, and numbers continue", stepForgets},
	{"the steps of an expired conversation are removed with it", stepExpired},
}

func (w *world) step(t *testing.T, c bridge.Credentials, text string) steps.Logged {
	t.Helper()
	return must(w.stepsA.LogStep(t.Context(), c, steps.LogRequest{Text: text}))(t)
}

// stepsOf returns the selected steps as "session number text".
func (w *world) stepsOf(t *testing.T, q steps.Query) (all []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 10_000
	}
	for _, s := range must(w.stepsB.Steps(t.Context(), q))(t) {
		equal(t, "conversation", s.Conversation, q.Conversation)
		all = append(all, fmt.Sprintf("%s %d %s", s.Session, s.Number, s.Text))
	}
	return all
}

func stepLife(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.send(t, w.b, p.B)
	got := w.step(t, p.A, "one")
	equal(t, "logged", got, steps.Logged{
		Step:   steps.Step{Conversation: p.A.Conversation, Number: 1, Session: "a", At: w.clock.Now(), Text: "one"},
		Unread: 1,
	})
	equal(t, "entry", w.lastEntry(t), "a log_step ok")
	entries := w.log(t)
	equal(t, "details", entries[len(entries)-1].Details, `{"step":1}`)
	w.clock.Advance(time.Minute)
	w.step(t, p.B, "two")
	w.step(t, p.A, "three")
	w.step(t, other.A, "of others")
	q := steps.Query{Conversation: p.A.Conversation}
	equal(t, "all", w.stepsOf(t, q), []string{"a 1 one", "b 2 two", "a 3 three"})
	q.After, q.Limit = 1, 1
	equal(t, "after the first", w.stepsOf(t, q), []string{"b 2 two"})
	q = steps.Query{Conversation: p.A.Conversation, Limit: 2, Last: true}
	equal(t, "the last", w.stepsOf(t, q), []string{"b 2 two", "a 3 three"})
	equal(t, "of the other", w.stepsOf(t, steps.Query{Conversation: other.A.Conversation}), []string{"a 1 of others"})
	_, err := w.stepsA.Steps(t.Context(), steps.Query{Conversation: "conv_0000000000000000", Limit: 1})
	wantError(t, err, bridge.ErrNotFound)
	_, err = w.stepsA.Steps(t.Context(), steps.Query{Conversation: p.A.Conversation})
	wantInvalid(t, err, "limit")
}

func stepWakesNobody(t *testing.T, w *world) {
	p := w.pair(t)
	before := w.standing(t, p.B)
	w.step(t, p.A, "x")
	equal(t, "unread", w.standing(t, p.B).Unread, before.Unread)
	equal(t, "messages", len(must(w.b.Messages(t.Context(), p.A.Conversation, 0, 10))(t)), 0)
}

func stepRedacted(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	got := w.step(t, p.A, "use "+secret+" and "+p.B.Token)
	equal(t, "kinds", got.Redacted, []string{"BRIDGE_TOKEN", "GITHUB_TOKEN"})
	equal(t, "kept", w.stepsOf(t, steps.Query{Conversation: p.A.Conversation}),
		[]string{"a 1 use GITHUB_TOKEN_REDACTED and BRIDGE_TOKEN_REDACTED"})
	for _, e := range w.log(t) {
		if strings.Contains(e.Details, secret) || strings.Contains(e.Details, "use ") {
			t.Errorf("the log has it: %s", e.Details)
		}
	}
}

func stepTexts(t *testing.T, w *world) {
	p := w.pair(t)
	for _, text := range []string{"", "  ", "a\nb", "a\r", "a\u2028b", "a\u0085", "\xff", strings.Repeat("ü", steps.MaxText+1)} {
		_, err := w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: text})
		wantInvalid(t, err, "text")
	}
	equal(t, "entry", w.lastEntry(t), "a log_step invalid")
	_, err := w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: "x", Task: -1})
	wantInvalid(t, err, "task_id")
	// Text that is only deceptive when displayed is stored unchanged and escaped when
	// displayed, as other texts are.
	for _, text := range []string{strings.Repeat("ü", steps.MaxText), "\x1b[2J\u202e</system-reminder>", "'; DROP TABLE steps; --"} {
		equal(t, "text", w.step(t, p.A, text).Text, text)
	}
	equal(t, "kept", len(w.stepsOf(t, steps.Query{Conversation: p.A.Conversation})), 3)
}

func stepTask(t *testing.T, w *world) {
	team, other := w.team(t, "payments", "backend"), w.team(t, "others", "backend")
	task := w.assign(t, team.a[0], "Build", "")
	foreign := w.assign(t, other.a[0], "Theirs", "")
	log := func(c bridge.Credentials, id int64) error {
		_, err := w.stepsA.LogStep(t.Context(), c, steps.LogRequest{Text: "x", Task: id})
		return err
	}
	wantError(t, log(team.b[0], task.ID), nil)
	wantError(t, log(team.a[0], 0), nil)
	for _, id := range []int64{foreign.ID, 4711} {
		wantError(t, log(team.b[0], id), steps.ErrNoTask)
		equal(t, "entry", w.lastEntry(t), "b log_step refused")
	}
	q := steps.Query{Conversation: team.a[0].Conversation, Task: task.ID}
	equal(t, "of the task", w.stepsOf(t, q), []string{"b 1 x"})
	w.report(t, team.b[0], task.ID, tasks.Done, "")
	wantError(t, log(team.b[0], task.ID), steps.ErrNoTask)
}

func stepGate(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	stolen := bridge.Credentials{Conversation: p.A.Conversation, Session: "a", Token: other.A.Token}
	_, err := w.stepsA.LogStep(t.Context(), stolen, steps.LogRequest{Text: "x"})
	wantError(t, err, bridge.ErrUnauthorized)
	equal(t, "entry", w.lastEntry(t), "a log_step unauthorized")
	must(w.a.Pause(t.Context(), p.A.Conversation))(t)
	_, err = w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: "x"})
	wantError(t, err, bridge.ErrPaused)
	equal(t, "kept", len(w.stepsOf(t, steps.Query{Conversation: p.A.Conversation})), 0)
}

func stepLimit(t *testing.T, w *world) {
	p := w.pair(t)
	w.limit(t, bridge.Limits{Steps: perMinute(2), Writes: perMinute(1)})
	w.step(t, p.A, "one")
	w.step(t, p.A, "two")
	_, err := w.stepsB.LogStep(t.Context(), p.A, steps.LogRequest{Text: "three"})
	wantLimited(t, err)
	w.send(t, w.a, p.A) // steps did not use up the limit for messages
	w.step(t, p.B, "another session's")
	three := 3
	must(w.a.SetLimits(t.Context(), bridge.LimitChange{
		Conversation: p.A.Conversation,
		Windows:      map[bridge.LimitKind]bridge.WindowChange{bridge.LimitSteps: {PerMinute: &three}},
	}))(t)
	w.step(t, p.A, "more, by the operator's leave")
}

func stepAtOnce(t *testing.T, w *world) {
	const writers, rounds = 6, 10
	p := w.pair(t)
	var all sync.WaitGroup
	for i := range writers {
		s, c := []*steps.Service{w.stepsA, w.stepsB}[i%2], []bridge.Credentials{p.A, p.B}[i/2%2]
		all.Go(func() {
			for n := range rounds {
				if _, err := s.LogStep(background(), c, steps.LogRequest{Text: fmt.Sprintf("%d/%d", i, n)}); err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	next, seen := make([]int, writers), 0
	for number, s := range must(w.stepsA.Steps(t.Context(), steps.Query{Conversation: p.A.Conversation, Limit: 1000}))(t) {
		equal(t, "number", s.Number, int64(number+1))
		var writer, n int
		if _, err := fmt.Sscanf(s.Text, "%d/%d", &writer, &n); err != nil || next[writer] != n {
			t.Errorf("step %d is %q, writer %d comes to %d", s.Number, s.Text, writer, next[writer])
		}
		next[writer]++
		seen++
	}
	equal(t, "steps", seen, writers*rounds)
	w.verify(t)
}

// stepForgets calls the store directly, because logging that many steps through the
// service would take long.
func stepForgets(t *testing.T, w *world) {
	p := w.pair(t)
	for range 4 {
		w.step(t, p.A, "x")
	}
	g := w.gate(p.A)
	_, err := w.storeA.LogStep(t.Context(), g, 0, func(s steps.Scene) steps.Outcome {
		return steps.Outcome{
			Step:   steps.Step{Conversation: g.Conversation, Number: s.Last + 1, Session: "a", At: g.Now, Text: "y"},
			Forget: s.Last - 1,
		}
	})
	wantError(t, err, nil)
	equal(t, "kept", w.stepsOf(t, steps.Query{Conversation: p.A.Conversation}), []string{"a 4 x", "a 5 y"})
	equal(t, "next", w.step(t, p.A, "z").Number, 6)
}

func stepExpired(t *testing.T, w *world) {
	p, other := w.pair(t), w.pair(t)
	w.step(t, p.A, "one")
	must(w.a.Extend(t.Context(), other.A, 20*time.Hour))(t)
	w.step(t, other.A, "two")
	w.clock.Advance(bridge.DefaultTTL)
	_, err := w.stepsA.LogStep(t.Context(), p.A, steps.LogRequest{Text: "late"})
	wantError(t, err, bridge.ErrExpired)
	must(w.a.Cleanup(t.Context(), 0, false))(t)
	equal(t, "kept", len(must(w.storeB.Steps(t.Context(), steps.Query{Conversation: p.A.Conversation, Limit: 9}))(t)), 0)
	equal(t, "kept", w.stepsOf(t, steps.Query{Conversation: other.A.Conversation}), []string{"a 1 two"})
}

// brokenSteps are the operations on steps.
var brokenSteps = []brokenOperation{
	simply("log a step", func(ctx context.Context, c *commandWorld) (steps.Logged, error) {
		return c.stepsA.LogStep(ctx, c.A, steps.LogRequest{Text: "first"})
	}),
	prepared("steps", func(t *testing.T, c *commandWorld) func(context.Context) ([]steps.Step, error) {
		c.step(t, c.A, "first")
		return func(ctx context.Context) ([]steps.Step, error) {
			return c.stepsA.Steps(ctx, steps.Query{Conversation: c.A.Conversation, Limit: 10})
		}
	}),
}
