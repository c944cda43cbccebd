package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

func rotateOneOfMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	invited := must(w.a.Invite(t.Context(), all[0], "late"))(t)
	fresh := must(w.b.RotateToken(t.Context(), all[0].Conversation, "c"))(t)
	_, err := w.a.CheckPartners(t.Context(), all[2], "")
	wantError(t, err, bridge.ErrUnauthorized)
	all[2].Token = fresh
	for _, c := range all {
		must(w.a.CheckPartners(t.Context(), c, ""))(t)
	}
	tokens := must(w.b.Tokens(t.Context(), all[0].Conversation))(t)
	equal(t, "tokens", []string{tokens[0].Token, tokens[1].Token, tokens[2].Token}, []string{all[0].Token, all[1].Token, all[2].Token})
	equal(t, "of the invited", tokens[3].Session, bridge.SessionID("d"))
	must(w.a.RotateTokens(t.Context(), all[0].Conversation))(t)
	_, err = w.b.Join(t.Context(), invited.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
	for _, c := range all {
		_, err := w.a.CheckPartners(t.Context(), c, "")
		wantError(t, err, bridge.ErrUnauthorized)
	}
	at := must(w.b.SessionOf(t.Context(), all[0].Conversation, must(w.b.RotateToken(t.Context(), all[0].Conversation, "c"))(t)))(t)
	equal(t, "whose token", at, bridge.SessionID("c"))
}

func rotatedPlace(t *testing.T, w *world) {
	p := w.pair(t)
	ctx := t.Context()
	invite := func() bridge.Invited { return must(w.a.Invite(ctx, p.A, "tester"))(t) }
	first := invite()
	w.clock.Advance(bridge.JoinCodeTTL - time.Second)
	token := must(w.b.RotateToken(ctx, p.A.Conversation, "c"))(t)
	w.clock.Advance(bridge.JoinCodeTTL - time.Second)
	equal(t, "the place is kept", invite().Session, bridge.SessionID("d"))
	_, err := w.b.Join(ctx, first.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
	w.clock.Advance(time.Second)
	again := invite()
	equal(t, "nobody came", again.Session, bridge.SessionID("c"))
	_, err = w.a.Check(ctx, bridge.Credentials{Conversation: p.A.Conversation, Session: "c", Token: token}, bridge.CheckRequest{}, nil)
	wantError(t, err, bridge.ErrUnauthorized)

	token = must(w.b.RotateToken(ctx, p.A.Conversation, "c"))(t)
	must(w.a.Check(ctx, bridge.Credentials{Conversation: p.A.Conversation, Session: "c", Token: token}, bridge.CheckRequest{}, nil))(t)
	w.clock.Advance(bridge.JoinCodeTTL)
	equal(t, "a session that joined by its token stays", invite().Session == "c", false)
}

func tasksOfMany(t *testing.T, w *world) {
	all := w.room(t, 4)
	ctx := t.Context()
	assign := func(r tasks.AssignRequest) tasks.Task {
		t.Helper()
		r.Title = "x"
		return must(w.tasksA.AssignTask(ctx, all[0], r))(t).Task
	}
	forC := assign(tasks.AssignRequest{To: "c", IdempotencyKey: "k"})
	equal(t, "worker", fmt.Sprint(forC.Worker, " ", forC.Role), all[0].Conversation+"/c role c")
	equal(t, "repeated", must(w.tasksB.AssignTask(ctx, all[0], tasks.AssignRequest{Title: "x", IdempotencyKey: "k"}))(t).Task.Worker, forC.Worker)
	forB := assign(tasks.AssignRequest{To: "b"})
	equal(t, "by role", assign(tasks.AssignRequest{Needs: "role d"}).Worker, all[0].Conversation+"/d")
	for _, name := range []bridge.SessionID{"a", "e", "all", "?"} {
		_, err := w.tasksA.AssignTask(ctx, all[0], tasks.AssignRequest{Title: "x", To: name})
		wantInvalid(t, err, "to")
	}
	_, err := w.tasksA.AssignTask(ctx, all[0], tasks.AssignRequest{Title: "x", To: "c", Needs: "other"})
	wantInvalid(t, err, "needs")
	_, err = w.tasksA.AssignTask(ctx, all[2], tasks.AssignRequest{Title: "x"})
	wantInvalid(t, err, "session_id")

	listed := func(c bridge.Credentials) (ids []int64) {
		for _, task := range must(w.tasksB.ListTasks(ctx, c, tasks.Query{}))(t).Tasks {
			ids = append(ids, task.ID)
		}
		return ids
	}
	equal(t, "a sees all", len(listed(all[0])), 3)
	equal(t, "b sees its own", listed(all[1]), []int64{forB.ID})
	equal(t, "c sees its own", listed(all[2]), []int64{forC.ID})
	_, err = w.tasksB.ReadTask(ctx, all[2], forB.ID)
	wantError(t, err, tasks.ErrNoTask)
	_, err = w.tasksB.UpdateTask(ctx, all[2], tasks.Report{ID: forB.ID, State: tasks.Done})
	wantError(t, err, tasks.ErrNoTask)
	_, err = w.tasksB.UpdateTask(ctx, all[1], tasks.Report{ID: forC.ID, State: tasks.Failed})
	wantError(t, err, tasks.ErrNoTask)
	done := must(w.tasksB.UpdateTask(ctx, all[2], tasks.Report{ID: forC.ID, State: tasks.Done}))(t)
	equal(t, "done by", fmt.Sprint(done.Event.Actor, " ", done.Task.State), "c done")
	equal(t, "mail of c", len(w.texts(t, all[2])), 1)
	equal(t, "mail of d", len(w.texts(t, all[3])), 1)
	equal(t, "mail of b", len(w.texts(t, all[1])), 1)
	equal(t, "mail of a", len(w.texts(t, all[0])), 1)
}

func silentOfMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	ctx := t.Context()
	task := must(w.tasksA.AssignTask(ctx, all[0], tasks.AssignRequest{Title: "x", To: "c"}))(t).Task
	must(w.tasksA.UpdateTask(ctx, all[2], tasks.Report{ID: task.ID, State: tasks.Accepted}))(t)
	w.clock.Advance(tasks.SilentAfter + time.Second)
	must(w.a.Heartbeat(ctx, all[1]))(t) // b is alive
	equal(t, "noted", must(w.tasksB.WatchWorkers(ctx, tasks.SilentAfter))(t), 1)
	equal(t, "noted once", must(w.tasksA.WatchWorkers(ctx, tasks.SilentAfter))(t), 0)
	alert, _, err := w.tasksA.NextAlert(ctx)
	equal(t, "alert", fmt.Sprint(alert.Kind, " ", alert.Session, " ", alert.Role, " ", alert.OpenTasks, err), "worker_silent c role c 1 <nil>")
	moves := must(w.tasksB.MoveTasks(ctx, bridge.System, "", tasks.SilentAfter, false))(t)
	equal(t, "moves", fmt.Sprint(len(moves), " ", moves[0].From, " ", moves[0].Task.Worker), fmt.Sprintf("1 %[1]s/c %[1]s", all[0].Conversation))
	must(w.a.Heartbeat(ctx, all[2]))(t)
	equal(t, "back", must(w.tasksB.WatchWorkers(ctx, tasks.SilentAfter))(t), 1)
}

func claimsOfMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	must(w.claims.Take(t.Context(), all[1], claims.Request{Paths: []string{"a.go"}}))(t)
	_, err := w.claimsB.Take(t.Context(), all[2], claims.Request{Paths: []string{"a.go"}})
	var held *claims.HeldError
	if !errors.As(err, &held) || held.Session != "b" || held.Role != "frontend" {
		t.Errorf("got %v, want that b holds it", err)
	}
	task := must(w.tasksA.AssignTask(t.Context(), all[0], tasks.AssignRequest{Title: "x", To: "c"}))(t).Task
	_, err = w.claimsB.Take(t.Context(), all[1], claims.Request{Paths: []string{"b.go"}, Task: task.ID})
	wantError(t, err, claims.ErrNoTask)
	must(w.claimsB.Take(t.Context(), all[2], claims.Request{Paths: []string{"b.go"}, Task: task.ID}))(t)
	_, err = w.claimsB.Take(t.Context(), all[0], claims.Request{Paths: []string{"b.go"}})
	if !errors.As(err, &held) || held.Session != "c" || held.Role != "role c" {
		t.Errorf("got %v, want that c holds it", err)
	}
}

func sayToMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	must(w.a.Invite(t.Context(), all[0], "late"))(t)
	id := all[0].Conversation
	sent := must(w.a.Say(t.Context(), bridge.SayRequest{Conversation: id, Text: "hear"}))(t)
	equal(t, "to", sent[0].Recipients().String(), "a,b,c")
	equal(t, "stored", len(must(w.b.Messages(t.Context(), id, 0, 10))(t)), 1)
	for _, c := range all {
		equal(t, "hears", w.texts(t, c), []string{"hear"})
	}
	for _, names := range [][]bridge.SessionID{to("d"), to("e"), to("b", "b")} {
		_, err := w.a.Say(t.Context(), bridge.SayRequest{Conversation: id, Text: "x", To: names})
		wantInvalid(t, err, "to")
	}
}

func sharedOfMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	files := []string{"a.go"}
	send := func(from bridge.Credentials, names ...bridge.SessionID) bridge.Sent {
		return must(w.a.Send(t.Context(), from, bridge.SendRequest{Text: "mine", Files: files, To: names}))(t)
	}
	send(all[1], "a")
	equal(t, "to a session that did not name it", send(all[0], "c").Shared.Files(), nil)
	equal(t, "b is not told of names that it was not sent", w.standing(t, all[1]).Shared.Files(), nil)
	equal(t, "to a session that did", send(all[0], bridge.Everyone).Shared, bridge.Shared{"b": files})
	equal(t, "b is told", w.standing(t, all[1]).Shared, bridge.Shared{"a": files})
	equal(t, "c is not", w.standing(t, all[2]).Shared.Files(), nil)
}

// sharedByMany checks that a name given by one session does not hide the same name
// given by another.
func sharedByMany(t *testing.T, w *world) {
	all := w.room(t, 3)
	send := func(from bridge.Credentials, to bridge.SessionID, files ...string) {
		must(w.a.Send(t.Context(), from, bridge.SendRequest{Text: "mine", Files: files, To: []bridge.SessionID{to}}))(t)
	}
	send(all[0], "b", "f1", "f2")
	send(all[0], "c", "f1", "f2")
	send(all[1], "a", "f1")
	first := w.standing(t, all[0])
	send(all[2], "a", "f2")
	send(all[1], "a", "./f1", "f2")
	want := bridge.Shared{"b": {"f1", "f2"}, "c": {"f2"}}
	equal(t, "a is told of both", w.standing(t, all[0]).Shared, want)
	must(0, w.a.Told(t.Context(), all[0], first))(t)
	equal(t, "names not yet reported are kept", w.standing(t, all[0]).Shared, want)
	must(0, w.a.Told(t.Context(), all[0], w.standing(t, all[0])))(t)
	equal(t, "told", w.standing(t, all[0]).Shared.Files(), nil)

	p := w.pair(t)
	both := func(from bridge.Credentials, file string) {
		must(w.a.Send(t.Context(), from, bridge.SendRequest{Text: "mine", Files: []string{file}}))(t)
	}
	for _, from := range []bridge.Credentials{p.A, p.B} {
		both(from, "f1")
		both(from, "f2")
	}
	equal(t, "of two", w.standing(t, p.A).Shared, bridge.Shared{"": {"f1", "f2"}})
}

func sharedAmongMuch(t *testing.T, w *world) {
	all := w.room(t, 3)
	long := make([]string, bridge.MaxFiles)
	for i := range long {
		long[i] = fmt.Sprint(i, "/", strings.Repeat("x", bridge.MaxFileNameLength-4))
	}
	for name, of := range map[string]struct {
		from, other bridge.Credentials
	}{"of two": {from: w.pair(t).A}, "of three": {from: all[0], other: all[2]}} {
		send := func(c bridge.Credentials, files ...string) bridge.Shared {
			return must(w.a.Send(t.Context(), c, bridge.SendRequest{Text: "x", Files: files, To: []bridge.SessionID{bridge.Everyone}}))(t).Shared
		}
		partner := bridge.Credentials{Conversation: of.from.Conversation, Session: bridge.SessionB}
		for _, token := range must(w.a.Tokens(t.Context(), partner.Conversation))(t) {
			if token.Session == partner.Session {
				partner.Token = token.Token
			}
		}
		if of.other.Conversation != "" {
			send(of.other, "quiet.go")
		}
		send(partner, "old.go")
		for range bridge.SharedBytes/(bridge.MaxFiles*bridge.MaxFileNameLength) + 1 {
			send(partner, long...)
		}
		equal(t, name+": before much else", len(send(of.from, "old.go").Files()), 0)
		equal(t, name+": the last", send(of.from, long[0]).Files(), long[:1])
		if of.other.Conversation != "" {
			equal(t, name+": of another", send(of.from, "quiet.go")["c"], []string{"quiet.go"})
		}
	}
}

func removeMany(t *testing.T, w *world) {
	before := must(w.a.Limits(t.Context(), ""))(t).Usage
	all := w.room(t, 4)
	w.sendTo(t, all[0], "1", bridge.Everyone)
	w.sendTo(t, all[3], "2", "b", "c")
	w.clock.Advance(bridge.DefaultTTL)
	removed := must(w.b.Cleanup(t.Context(), 0, false))(t)
	equal(t, "removed", fmt.Sprint(len(removed), removed[0].Messages(), removed[0].Sessions.Unread()), "1 2 5")
	after := must(w.a.Limits(t.Context(), ""))(t).Usage
	equal(t, "counted", []int64{after.Messages, after.Conversations}, []int64{before.Messages, before.Conversations})
	equal(t, "left", len(w.state(t).Conversations), 0)
}
