package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var lifeTests = []test{
	{"every call of a session is a sign of life", callsAreSigns},
	{"a session has joined once it makes a call", nobodyJoined},
	{"background processes and unproven callers give no sign of life", noSigns},
	{"signs of life are stored at intervals", signsSeldom},
	{"an open wait is a sign of life", waitIsSign},
	{"signs of life of several are noted together", signsTogether},
	{"several inboxes are looked at together", looksTogether},
	{"a clock set back hides no sign of life", signsClockBack},
	{"a worker that waits for work is not silent and keeps its task", waitingKeepsTask},
	{"a receipt names the sender's last message that was read", receipts},
}

// partnerOf returns what w.b reports about the only partner of c.
func (w *world) partnerOf(t *testing.T, c bridge.Credentials) bridge.SessionState {
	t.Helper()
	p := must(w.b.CheckPartners(t.Context(), c, ""))(t)
	equal(t, "partners", len(p.Partners), 1)
	return p.Partners[0]
}

func callsAreSigns(t *testing.T, w *world) {
	p := w.pair(t)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"sends":          func() error { _, err := w.a.Send(ctx, p.B, bridge.SendRequest{Text: "x"}); return err },
		"checks":         func() error { _, err := w.a.Check(ctx, p.B, bridge.CheckRequest{}, nil); return err },
		"reads":          func() error { _, err := w.a.History(ctx, p.B, 0, 0); return err },
		"sets a status":  func() error { _, err := w.a.UpdateStatus(ctx, p.B, bridge.StatusWaiting); return err },
		"asks for tasks": func() error { _, err := w.tasksA.ListTasks(ctx, p.B, tasks.Query{}); return err },
		"beats":          func() error { _, err := w.a.Heartbeat(ctx, p.B); return err },
		"is refused": func() error {
			_, err := w.a.UpdateStatus(ctx, p.B, "sleeping")
			if err == nil {
				t.Error("an unknown status was accepted")
			}
			return nil
		},
	} {
		w.clock.Advance(bridge.AliveFor)
		equal(t, "alive before it "+name, w.partnerOf(t, p.A).Alive(w.clock.Now()), false)
		if err := call(); err != nil {
			t.Fatal(name, err)
		}
		status := w.partnerOf(t, p.A)
		equal(t, "alive when it "+name, status.Alive(w.clock.Now()), true)
		equal(t, "seen when it "+name, status.SeenAt, w.clock.Now())
	}
}

func nobodyJoined(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{})
	a := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
	equal(t, "b before", w.partnerOf(t, a).Joined(), false)
	equal(t, "reported to the sender", w.send(t, w.a, a).Partner.Joined(), false)
	w.clock.Advance(time.Minute)
	joined := must(w.b.Join(t.Context(), c.JoinCode))(t)
	status := w.partnerOf(t, a)
	equal(t, "b joined", []bool{status.Joined(), status.Alive(w.clock.Now())}, []bool{true, true})
	equal(t, "its status", status.Status, bridge.Status(""))
	b := bridge.Credentials{Conversation: c.ID, Session: joined.Session, Token: joined.Token}
	equal(t, "a is alive", w.partnerOf(t, b).Alive(w.clock.Now()), true)
	sent := w.send(t, w.a, a)
	equal(t, "reported to the sender now", []any{sent.Partner.Joined(), sent.Partner.SeenAt}, []any{true, w.clock.Now()})
}

func noSigns(t *testing.T, w *world) {
	p := w.pair(t)
	w.clock.Advance(bridge.AliveFor)
	must(w.b.PeekMessages(t.Context(), p.B, 0, 0))(t)
	must(w.b.CountMail(t.Context(), p.B))(t)
	_, err := w.b.Send(t.Context(), withWrongToken(p.B), bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.b.Check(t.Context(), withWrongToken(p.B), bridge.CheckRequest{}, nil)
	wantError(t, err, bridge.ErrUnauthorized)
	w.send(t, w.a, p.A)
	equal(t, "joined", w.partnerOf(t, p.A).Joined(), false)
}

func signsSeldom(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.B)
	first := w.clock.Now()
	for range 9 {
		w.clock.Advance(time.Second)
		w.send(t, w.a, p.B)
	}
	equal(t, "seen within ten seconds", w.partnerOf(t, p.A).SeenAt, first)
	w.clock.Advance(time.Second)
	w.send(t, w.a, p.B)
	equal(t, "seen after ten seconds", w.partnerOf(t, p.A).SeenAt, w.clock.Now())
}

func signsTogether(t *testing.T, w *world) {
	ctx := t.Context()
	silent, lively := w.pair(t), w.pair(t)
	w.send(t, w.a, silent.B)
	begun := w.clock.Now()
	w.clock.Advance(15 * time.Second)
	w.send(t, w.a, lively.B)
	w.clock.Advance(15 * time.Second)
	entries := len(w.log(t))
	err := w.storeA.NoteAllSeen(ctx, []bridge.Address{
		{Conversation: lively.B.Conversation, Session: "b"},
		{Conversation: silent.B.Conversation, Session: "b"},
		{Conversation: "conv_0123456789abcdef", Session: "b"},
	}, w.clock.Now(), w.clock.Now().Add(-20*time.Second))
	equal(t, "error", err, nil)
	equal(t, "entries", len(w.log(t))-entries, 0)
	equal(t, "seen lately", w.partnerOf(t, lively.A).SeenAt, w.clock.Now())
	equal(t, "seen long ago", w.partnerOf(t, silent.A).SeenAt, begun)
	equal(t, "nobody", w.storeA.NoteAllSeen(ctx, nil, w.clock.Now(), begun), nil)
}

func looksTogether(t *testing.T, w *world) {
	ctx := t.Context()
	p, q := w.pair(t), w.pair(t)
	w.send(t, w.a, p.A)
	w.check(t, w.b, p.B, 0)
	w.send(t, w.a, q.B)
	of := []bridge.Address{
		{Conversation: p.B.Conversation, Session: "b"},
		{Conversation: q.A.Conversation, Session: "a"},
		{Conversation: "conv_0123456789abcdef", Session: "a"},
		{Conversation: q.A.Conversation, Session: "z"},
		{},
		{Conversation: "\x00\xff", Session: "\x00"},
		{Conversation: p.B.Conversation, Session: "b"},
	}
	views := must(w.storeB.PeekInboxes(ctx, of))(t)
	equal(t, "how many", len(views), len(of))
	for i, one := range of {
		equal(t, "view", views[i], must(w.storeB.PeekInbox(ctx, one.Conversation, one.Session))(t))
	}
	equal(t, "claimed", views[0].ClaimUntil.IsZero(), false)
	equal(t, "waits", views[1].LastSeq, int64(1))
	equal(t, "nothing", len(must(w.storeB.PeekInboxes(ctx, nil))(t)), 0)
}

func waitIsSign(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.a.UpdateStatus(t.Context(), p.B, bridge.StatusComplete))(t)
	w.clock.Advance(bridge.AliveFor)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	drain := make(chan struct{})
	waited := make(chan error, 1)
	go func() {
		_, err := w.a.Check(ctx, p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, drain)
		waited <- err
	}()
	for !w.partnerOf(t, p.A).Alive(w.clock.Now()) {
		if ctx.Err() != nil {
			t.Fatal("an open wait is not a sign of life")
		}
	}
	entries := len(entriesOf(w.log(t), "check_messages"))
	w.clock.Advance(bridge.AliveFor)
	w.a.Ring(p.A.Conversation, bridge.SessionB) // makes the waiter check again
	for !w.partnerOf(t, p.A).Alive(w.clock.Now()) {
		if ctx.Err() != nil {
			t.Fatal("an open wait is not renewed")
		}
	}
	equal(t, "status", w.partnerOf(t, p.A).Status, bridge.StatusComplete)
	equal(t, "entries for looking", len(entriesOf(w.log(t), "check_messages")), entries)
	close(drain)
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func signsClockBack(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.B)
	w.clock.Advance(-time.Hour)
	w.send(t, w.a, p.B)
	equal(t, "seen", w.partnerOf(t, p.A).SeenAt, w.clock.Now())
}

func waitingKeepsTask(t *testing.T, w *world) {
	p := w.pair(t)
	must(w.tasksA.AssignTask(t.Context(), p.A, tasks.AssignRequest{Title: "Write the parser"}))(t)
	for range 4 {
		w.clock.Advance(after - time.Second)
		must(w.b.Check(t.Context(), p.B, bridge.CheckRequest{}, nil))(t) // only checks for mail
		equal(t, "silent", w.watch(t, w.tasksA), 0)
		equal(t, "moved", w.moves(t), []string{})
	}
	w.clock.Advance(after + time.Second)
	equal(t, "silent later", w.watch(t, w.tasksA), 1)
}

func receipts(t *testing.T, w *world) {
	p := w.pair(t)
	equal(t, "at first", w.partnerOf(t, p.A).ReadID, 0)
	first, second := w.send(t, w.a, p.A), w.send(t, w.a, p.A)
	d := w.check(t, w.b, p.B, 1)
	equal(t, "on its way", w.partnerOf(t, p.A).ReadID, 0)
	w.clock.Advance(time.Minute)
	w.confirm(t, w.b, d)
	read := w.clock.Now()
	w.clock.Advance(time.Minute)
	status := w.partnerOf(t, p.A)
	equal(t, "the first", []any{status.ReadID, status.ReadAt}, []any{first.ID, read})
	w.confirm(t, w.b, w.check(t, w.b, p.B, 1))
	equal(t, "the second", w.partnerOf(t, p.A).ReadID, second.ID)
	equal(t, "the other way", w.partnerOf(t, p.B).ReadID, 0)
}

// brokenSessions are the operations on a session's own state and its conversation.
var brokenSessions = []brokenOperation{
	simply("set a status", func(ctx context.Context, c *commandWorld) (bridge.StatusUpdate, error) {
		return c.a.UpdateStatus(ctx, c.A, bridge.StatusComplete)
	}),
	prepared("partners", func(t *testing.T, c *commandWorld) func(context.Context) (bridge.PartnerStatus, error) {
		room := c.room(t, 3)
		return func(ctx context.Context) (bridge.PartnerStatus, error) { return c.a.CheckPartners(ctx, room[1], "") }
	}),
	simply("heartbeat", func(ctx context.Context, c *commandWorld) (bridge.Pulse, error) { return c.a.Heartbeat(ctx, c.A) }),
	simply("extend", func(ctx context.Context, c *commandWorld) (bridge.Extended, error) {
		return c.a.Extend(ctx, c.A, bridge.MaxTTL)
	}),
	simply("extend as the operator", func(ctx context.Context, c *commandWorld) (bridge.Extended, error) {
		return c.a.ExtendByOperator(ctx, c.A.Conversation, bridge.MaxTTL)
	}),
	simply("refuse a call", func(ctx context.Context, c *commandWorld) (nothing, error) {
		err := c.a.RefuseCall(ctx, c.A, "some_tool", errWrong)
		if errors.Is(err, errWrong) {
			err = nil
		}
		return none(err)
	}),
}

var errWrong = errors.New("the arguments are wrong")
