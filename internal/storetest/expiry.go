package storetest

import (
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var expiryTests = []test{
	{"an expired conversation takes nothing new and says so", expiredTakesNothing},
	{"its sessions read what is in it for a day", expiredReads},
	{"a wait ends with the conversation", expiredWait},
	{"an unproven caller does not learn the expiry", expiredUnproven},
	{"either session extends it, and it never becomes shorter", extendEither},
	{"an extension has bounds", extendBounds},
	{"the operator brings one back", extendOperator},
	{"a fresh join code replaces the first", freshCode},
	{"join codes say why they do not work", codesSayWhy},
	{"a forged expiry is refused until the operator sets a new one", movedEnd},
	{"a cleanup leaves a conversation with a forged expiry, and removes the others", cleanupLeavesMoved},
}

func wantExpired(t *testing.T, err error) {
	t.Helper()
	var expired *bridge.ExpiredError
	wantAs(t, err, &expired)
	wantError(t, err, bridge.ErrExpired)
}

func expiredTakesNothing(t *testing.T, w *world) {
	p := w.pair(t)
	at := w.clock.Now().Add(bridge.DefaultTTL)
	ctx := t.Context()
	w.clock.Advance(bridge.DefaultTTL)
	w.unchanged(t, func() {
		_, err := w.a.Send(ctx, p.A, bridge.SendRequest{Text: "x"})
		wantExpired(t, err)
		equal(t, "entry", w.lastEntry(t), "a send_to_partner expired")
		_, err = w.a.UpdateStatus(ctx, p.A, bridge.StatusWorking)
		wantExpired(t, err)
		_, err = w.tasksA.AssignTask(ctx, p.A, tasks.AssignRequest{Title: "x"})
		wantExpired(t, err)
		_, err = w.a.Heartbeat(ctx, p.B)
		wantExpired(t, err)
		_, err = w.a.Extend(ctx, p.A, 0)
		wantExpired(t, err)
		_, err = w.a.PeekMessages(ctx, p.B, 0, 0)
		wantExpired(t, err)
	})
	_, err := w.a.Send(ctx, p.A, bridge.SendRequest{Text: "x"})
	equal(t, "error", err.Error(), (&bridge.ExpiredError{At: at, ReadUntil: at.Add(bridge.Grace)}).Error())
	w.verify(t)
}

func expiredReads(t *testing.T, w *world) {
	p := w.pair(t)
	first := w.send(t, w.a, p.A)
	w.clock.Advance(bridge.DefaultTTL + bridge.Grace - time.Microsecond)
	standing, ok := w.b.Standing(t.Context(), p.B)
	equal(t, "standing", []any{standing.Left(), standing.Unread, ok}, []any{time.Duration(0), int64(1), true})
	equal(t, "mail", must(w.b.CountMail(t.Context(), p.B))(t).Unread, 1)
	d := w.check(t, w.b, p.B, 0)
	equal(t, "unread", ids(d.Messages), []int64{first.ID})
	w.confirm(t, w.b, d)
	equal(t, "history", ids(must(w.b.History(t.Context(), p.B, 0, 0))(t).Messages), []int64{first.ID})
	equal(t, "partner", w.partnerOf(t, p.B).Joined(), true)
	must(w.tasksB.ListTasks(t.Context(), p.B, tasks.Query{}))(t)

	w.clock.Advance(time.Microsecond)
	_, err := w.b.History(t.Context(), p.B, 0, 0)
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.b.Send(t.Context(), p.B, bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.b.CountMail(t.Context(), p.B)
	wantError(t, err, bridge.ErrUnauthorized)
	_, ok = w.b.Standing(t.Context(), p.B)
	equal(t, "standing after the grace", ok, false)
}

func expiredWait(t *testing.T, w *world) {
	p := w.pair(t)
	waited := make(chan error, 1)
	go func() {
		_, err := w.a.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
		waited <- err
	}()
	w.clock.Advance(bridge.DefaultTTL)
	w.a.Ring(p.B.Conversation, bridge.SessionB)
	wantError(t, <-waited, nil)
	// A check that begins after the expiry does not wait at all.
	must(w.a.Check(t.Context(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil))(t)
}

func expiredUnproven(t *testing.T, w *world) {
	p := w.pair(t)
	w.clock.Advance(bridge.DefaultTTL)
	_, err := w.a.Send(t.Context(), withWrongToken(p.A), bridge.SendRequest{Text: "x"})
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.a.History(t.Context(), withWrongToken(p.A), 0, 0)
	wantError(t, err, bridge.ErrUnauthorized)
}

func extendEither(t *testing.T, w *world) {
	p := w.pair(t)
	w.clock.Advance(bridge.DefaultTTL - time.Minute)
	want := w.clock.Now().Add(bridge.DefaultExtension)
	equal(t, "b extends", must(w.a.Extend(t.Context(), p.B, 0))(t).ExpiresAt, want)
	equal(t, "entry", w.lastEntry(t), "b extend_conversation ok")
	equal(t, "a shorter extension", must(w.b.Extend(t.Context(), p.A, time.Minute))(t).ExpiresAt, want)
	w.clock.Advance(bridge.DefaultTTL - time.Minute)
	w.send(t, w.b, p.A)
	equal(t, "a extends", must(w.b.Extend(t.Context(), p.A, bridge.MaxTTL))(t).ExpiresAt, w.clock.Now().Add(bridge.MaxTTL))
	equal(t, "in the store", must(w.a.Conversation(t.Context(), p.A.Conversation))(t).ExpiresAt, w.clock.Now().Add(bridge.MaxTTL))
}

func extendBounds(t *testing.T, w *world) {
	p := w.pair(t)
	for _, d := range []time.Duration{-time.Minute, bridge.MinTTL - 1, bridge.MaxTTL + 1} {
		_, err := w.a.Extend(t.Context(), p.A, d)
		var invalid *bridge.InvalidError
		wantAs(t, err, &invalid)
		_, err = w.a.ExtendByOperator(t.Context(), p.A.Conversation, d)
		wantAs(t, err, &invalid)
	}
	_, err := w.a.Extend(t.Context(), withWrongToken(p.A), time.Hour)
	wantError(t, err, bridge.ErrUnauthorized)
	_, err = w.a.ExtendByOperator(t.Context(), "conv_0000000000000000", time.Hour)
	wantError(t, err, bridge.ErrNotFound)
}

func extendOperator(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.B)
	w.clock.Advance(bridge.DefaultTTL + bridge.Grace + time.Hour)
	e := must(w.b.ExtendByOperator(t.Context(), p.A.Conversation, time.Hour))(t)
	equal(t, "answer", e, bridge.Extended{ExpiresAt: w.clock.Now().Add(time.Hour)})
	equal(t, "entry", w.lastEntry(t), "operator extend_conversation ok")
	w.send(t, w.a, p.A)
}

func freshCode(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{TTL: time.Hour})
	a := bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
	w.clock.Advance(bridge.JoinCodeTTL)
	_, err := w.b.Join(t.Context(), c.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeExpired)
	e := must(w.a.Extend(t.Context(), a, time.Hour))(t)
	equal(t, "good until", e.JoinExpiresAt, w.clock.Now().Add(bridge.JoinCodeTTL))
	again := must(w.a.ExtendByOperator(t.Context(), c.ID, time.Hour))(t)
	_, err = w.b.Join(t.Context(), e.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
	longer := must(w.b.ExtendWithoutCode(t.Context(), c.ID, bridge.MaxTTL))(t)
	equal(t, "without a code", longer, bridge.Extended{ExpiresAt: w.clock.Now().Add(bridge.MaxTTL)})
	must(w.b.Join(t.Context(), again.JoinCode))(t) // unchanged
	equal(t, "once joined", must(w.a.Extend(t.Context(), a, time.Hour))(t).JoinCode, "")
	equal(t, "once joined, for the operator", must(w.a.ExtendByOperator(t.Context(), c.ID, time.Hour))(t).JoinCode, "")
	equal(t, "the token is the first", must(w.a.Tokens(t.Context(), c.ID))(t)[1].Token, c.TokenB)
}

func codesSayWhy(t *testing.T, w *world) {
	c := create(t, w.a, bridge.CreateRequest{})
	must(w.b.Join(t.Context(), c.JoinCode))(t)
	for range 2 {
		_, err := w.a.Join(t.Context(), c.JoinCode)
		wantError(t, err, bridge.ErrJoinCodeUsed)
	}
	equal(t, "entry", w.lastEntry(t), "? join_conversation unauthorized")
	_, err := w.a.Join(t.Context(), "00000-00000")
	wantError(t, err, bridge.ErrBadJoinCode)
	var invalid *bridge.InvalidError
	_, err = w.a.Join(t.Context(), "please")
	wantAs(t, err, &invalid)
}

// move extends a conversation by an hour but keeps the seal of the earlier expiry.
func (w *world) move(t *testing.T, conversation string) {
	t.Helper()
	op := bridge.Operation{Now: w.clock.Now(), Actor: "operator", Action: "test", Conversation: conversation, Details: bridge.Details{}}
	must(0, w.storeA.ExtendByOperator(t.Context(), op, func(o bridge.Overview, _ time.Time) bridge.Extension {
		return bridge.Extension{ExpiresAt: o.ExpiresAt.Add(time.Hour), ExpirySeal: o.ExpirySeal}
	}))(t)
}

func movedEnd(t *testing.T, w *world) {
	p := w.pair(t)
	invited := create(t, w.a, bridge.CreateRequest{Team: "blue"})
	lead := bridge.Credentials{Conversation: invited.ID, Session: bridge.SessionA, Token: invited.TokenA}
	w.move(t, p.A.Conversation)
	w.move(t, invited.ID)
	w.unchanged(t, func() {
		_, err := w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
		wantError(t, err, bridge.ErrExpiryMoved)
		equal(t, "entry", w.lastEntry(t), "a send_to_partner refused")
		_, err = w.b.History(t.Context(), p.B, 0, 0)
		wantError(t, err, bridge.ErrExpiryMoved)
		_, err = w.b.Extend(t.Context(), p.B, bridge.MaxTTL)
		wantError(t, err, bridge.ErrExpiryMoved)
		_, err = w.a.Send(t.Context(), withWrongToken(p.A), bridge.SendRequest{Text: "x"})
		wantError(t, err, bridge.ErrUnauthorized)
		_, err = w.b.CountMail(t.Context(), p.B)
		wantError(t, err, bridge.ErrUnauthorized)
		_, ok := w.b.Standing(t.Context(), p.B)
		equal(t, "standing", ok, false)
		_, err = w.b.Join(t.Context(), invited.JoinCode)
		wantError(t, err, bridge.ErrExpiryMoved)
	})
	other := create(t, w.a, bridge.CreateRequest{Team: "blue", Holds: []bridge.Credentials{lead}})
	if other.TeamID == invited.TeamID {
		t.Error("a conversation with a forged expiry proves its team")
	}
	e := must(w.a.ExtendByOperator(t.Context(), p.A.Conversation, time.Minute))(t)
	equal(t, "it ends", e.ExpiresAt, w.clock.Now().Add(time.Minute))
	w.send(t, w.b, p.A)
	w.verify(t)
}

func cleanupLeavesMoved(t *testing.T, w *world) {
	moved := create(t, w.a, bridge.CreateRequest{TTL: bridge.MinTTL})
	a := bridge.Credentials{Conversation: moved.ID, Session: bridge.SessionA, Token: moved.TokenA}
	w.send(t, w.a, a)
	w.move(t, moved.ID)
	w.clock.Advance(time.Second)
	expired, live := expiredAndLive(t, w)
	must(w.a.ExtendByOperator(t.Context(), live.Conversation, bridge.MaxTTL))(t)
	w.clock.Advance(2 * time.Hour)
	for _, dryRun := range []bool{true, false} {
		removed, err := w.b.Cleanup(t.Context(), 0, dryRun)
		var left *bridge.MovedEndsError
		if !errors.As(err, &left) {
			t.Fatalf("got %v, want the ones that were left", err)
		}
		equal(t, "named", left.Conversations, []string{moved.ID})
		equal(t, "removed", conversationsOf(removed), []string{expired.Conversation})
	}
	log := w.log(t)
	equal(t, "details", log[len(log)-1].Details, `{"conversations":1,"unread_messages":2}`)
	equal(t, "left", conversationsOf(must(w.a.Conversations(t.Context()))(t)), []string{live.Conversation, moved.ID})
	equal(t, "its messages", len(must(w.a.Messages(t.Context(), moved.ID, 0, 10))(t)), 1)
	must(w.a.ExtendByOperator(t.Context(), moved.ID, bridge.MinTTL))(t)
	w.send(t, w.a, a)
	w.clock.Advance(bridge.MinTTL + time.Second)
	equal(t, "removed after a genuine expiry", conversationsOf(must(w.b.Cleanup(t.Context(), 0, false))(t)), []string{moved.ID})
	w.verify(t)
}
