package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

var manyTests = []test{
	{"a invites, and the code gives one further session", inviteGivesSession},
	{"only a invites, once, and up to 26", inviteLimits},
	{"a refused invitation costs a read", inviteRefusedCheaply},
	{"a place that nobody took goes to the next", invitePlaceAgain},
	{"with several partners a message names who gets it", sendNamesRecipients},
	{"a message for all is stored once and numbered in each inbox", broadcastOnce},
	{"each inbox has its own claim and read mark", inboxesApart},
	{"a session sees what it sent or was sent, from its join on", historyOfOne},
	{"pages of history and unread counts hold in a conversation that grew", manyThatGrew},
	{"an answer names only what its sender can see", replyToVisible},
	{"a write is charged for each recipient", chargedForEach},
	{"a refused message costs a read, and a flood of them is not logged", refusedForEach},
	{"a repeated key returns the whole first answer", repeatedKeyOfMany},
	{"each tells what was read of the caller's messages", readOfMine},
	{"a secret does not come together in any inbox", splitOverRecipients},
	{"rotating one puts one out", rotateOneOfMany},
	{"who is put out before it joined keeps its place for a while, and leaves it then", rotatedPlace},
	{"tasks go to any session and are seen by who has them", tasksOfMany},
	{"a silent worker of many is told of by its name", silentOfMany},
	{"claims of one conversation's sessions exclude each other", claimsOfMany},
	{"the operator's words are stored once", sayToMany},
	{"files that sessions named to each other are told to them only", sharedOfMany},
	{"what one session names does not hide what another did", sharedByMany},
	{"a conversation of many is removed whole", removeMany},
}

func (w *world) room(t *testing.T, n int) []bridge.Credentials {
	t.Helper()
	return bridgetest.NewRoom(t, w.a, n)
}

func to(names ...bridge.SessionID) []bridge.SessionID { return names }

func (w *world) sendTo(t *testing.T, c bridge.Credentials, text string, names ...bridge.SessionID) bridge.Sent {
	t.Helper()
	return must(w.a.Send(t.Context(), c, bridge.SendRequest{Text: text, To: names}))(t)
}

func (w *world) texts(t *testing.T, c bridge.Credentials) (texts []string) {
	t.Helper()
	d := w.check(t, w.b, c, 0)
	for _, m := range d.Messages {
		texts = append(texts, m.Text)
	}
	w.confirm(t, w.b, d)
	return texts
}

func inviteGivesSession(t *testing.T, w *world) {
	p := w.pair(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	i := must(w.a.Invite(t.Context(), p.A, "tester "+secret))(t)
	equal(t, "invited", []string{string(i.Session), i.Role, strings.Join(i.Redacted, ",")}, []string{"c", "tester GITHUB_TOKEN_REDACTED", "GITHUB_TOKEN"})
	equal(t, "good until", i.JoinExpiresAt, w.clock.Now().Add(bridge.JoinCodeTTL))
	before := w.sendTo(t, p.A, "to the only partner")
	equal(t, "a partner that has not joined is none", before.Recipients().String(), "b")

	joined := must(w.b.Join(t.Context(), i.JoinCode))(t)
	equal(t, "roster", joined.Roster.String(), `a "backend", b "frontend" (nobody has joined yet), c "tester GITHUB_TOKEN_REDACTED"`)
	equal(t, "session and unread", fmt.Sprint(joined.Session, " ", joined.Unread), "c 0")
	c := bridge.Credentials{Conversation: p.A.Conversation, Session: joined.Session, Token: joined.Token}
	equal(t, "history", len(must(w.b.History(t.Context(), c, 0, 0))(t).Messages), 0)
	equal(t, "entry", w.lastEntry(t), "c get_history ok")
	_, err := w.b.Join(t.Context(), i.JoinCode)
	wantError(t, err, bridge.ErrJoinCodeUsed)
	_, err = w.b.CheckPartners(t.Context(), bridge.Credentials{Conversation: c.Conversation, Session: "d", Token: c.Token}, "")
	wantError(t, err, bridge.ErrUnauthorized)
}

func inviteLimits(t *testing.T, w *world) {
	all := w.room(t, 3)
	for _, c := range all[1:] {
		_, err := w.a.Invite(t.Context(), c, "tester")
		wantInvalid(t, err, "session_id")
	}
	for _, role := range []string{"", "\u200b", strings.Repeat("x", 101)} {
		_, err := w.a.Invite(t.Context(), all[0], role)
		wantInvalid(t, err, "role")
	}
	_, err := w.a.Invite(t.Context(), withWrongToken(all[0]), "tester")
	wantError(t, err, bridge.ErrUnauthorized)
	for n := len(all); n < bridge.MaxSessions; n++ {
		must(w.a.Invite(t.Context(), all[0], "tester"))(t)
	}
	_, err = w.a.Invite(t.Context(), all[0], "tester")
	wantError(t, err, bridge.ErrFull)
	equal(t, "entry", w.lastEntry(t), "a invite_to_conversation refused")
	must(w.a.Pause(t.Context(), all[0].Conversation))(t)
	_, err = w.a.Invite(t.Context(), all[0], "tester")
	wantError(t, err, bridge.ErrPaused)
}

func inviteRefusedCheaply(t *testing.T, w *world) {
	all := w.room(t, bridge.MaxSessions)
	s := w.limit(t, bridge.Limits{Writes: perMinute(5), Reads: perMinute(10)})
	for range 5 {
		_, err := s.Invite(t.Context(), all[0], "tester")
		wantError(t, err, bridge.ErrFull)
	}
	for range 5 {
		must(s.Send(t.Context(), all[0], bridge.SendRequest{Text: "x", To: to("b")}))(t)
	}
	for range 5 {
		_, err := s.Invite(t.Context(), all[0], "tester")
		wantError(t, err, bridge.ErrFull)
	}
	_, err := s.Invite(t.Context(), all[0], "tester")
	wantLimited(t, err)
}

func invitePlaceAgain(t *testing.T, w *world) {
	p := w.pair(t)
	first := must(w.a.Invite(t.Context(), p.A, "tester"))(t)
	second := must(w.a.Invite(t.Context(), p.A, "writer"))(t)
	equal(t, "places", string(first.Session+second.Session), "cd")
	must(w.b.Join(t.Context(), second.JoinCode))(t)
	w.clock.Advance(bridge.JoinCodeTTL)
	third := must(w.a.Invite(t.Context(), p.A, "reader"))(t)
	equal(t, "place of who did not come", third.Session, bridge.SessionID("c"))
	_, err := w.b.Join(t.Context(), first.JoinCode)
	wantError(t, err, bridge.ErrBadJoinCode)
	equal(t, "role", must(w.b.Join(t.Context(), third.JoinCode))(t).Roster.Role("c"), "reader")
}

func sendNamesRecipients(t *testing.T, w *world) {
	all := w.room(t, 3)
	must(w.a.Invite(t.Context(), all[0], "late"))(t)
	_, err := w.a.Send(t.Context(), all[0], bridge.SendRequest{Text: "x"})
	wantInvalid(t, err, "to")
	if want := `b "frontend", c "role c", d "late" (nobody has joined yet)`; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want it to end with %s", err, want)
	}
	for _, names := range [][]bridge.SessionID{to("a"), to("d"), to("e"), to("b", "b"), to("all", "b"), to("B"), to("bc"), to("system"), to("operator"), to("")} {
		_, err := w.a.Send(t.Context(), all[0], bridge.SendRequest{Text: "x", To: names})
		wantInvalid(t, err, "to")
	}
	equal(t, "to c and b", w.sendTo(t, all[0], "1", "c", "b").Recipients().String(), "b,c")
	equal(t, "to all", w.sendTo(t, all[2], "2", bridge.Everyone).Recipients().String(), "a,b")
	equal(t, "to one", w.sendTo(t, all[1], "3", "c").Recipients().String(), "c")
	equal(t, "a", w.texts(t, all[0]), []string{"2"})
	equal(t, "b", w.texts(t, all[1]), []string{"1", "2"})
	equal(t, "c", w.texts(t, all[2]), []string{"1", "3"})
	p := w.pair(t)
	for _, names := range [][]bridge.SessionID{nil, to("b"), to("all")} {
		equal(t, "of two", w.sendTo(t, p.A, "x", names...).Recipients().String(), "b")
	}
	_, err = w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "x", To: to("c")})
	wantInvalid(t, err, "to")
}

func broadcastOnce(t *testing.T, w *world) {
	all := w.room(t, 4)
	w.sendTo(t, all[1], "alone", "d")
	sent := w.sendTo(t, all[0], "for all", bridge.Everyone)
	equal(t, "numbers", fmt.Sprint(sent.Seq, sent.Further[0].Seq, sent.Further[1].Seq), "1 1 2")
	equal(t, "unread", fmt.Sprint(sent.PartnerUnread, sent.Further[0].Unread, sent.Further[1].Unread), "1 1 2")
	stored := must(w.b.Messages(t.Context(), all[0].Conversation, 0, 10))(t)
	equal(t, "stored", len(stored), 2)
	equal(t, "to", stored[1].To.String(), "b,c,d")
	o := must(w.b.Conversation(t.Context(), all[0].Conversation))(t)
	equal(t, "messages", []int64{o.Messages(), o.Sessions.Unread()}, []int64{2, 4})
	for i, want := range []int64{1, 1, 2} {
		d := w.check(t, w.b, all[i+1], 0)
		last := d.Messages[len(d.Messages)-1]
		equal(t, "delivered", fmt.Sprint(last.Seq, last.From, last.To, last.Text, last.ID == sent.ID), fmt.Sprint(want, "a", "b,c,d", "for all", true))
		w.confirm(t, w.b, d)
		equal(t, "read by all", must(w.b.Messages(t.Context(), all[0].Conversation, sent.ID-1, 1))(t)[0].Read, i == 2)
	}
}

func inboxesApart(t *testing.T, w *world) {
	all := w.room(t, 3)
	w.sendTo(t, all[0], "1", bridge.Everyone)
	w.sendTo(t, all[0], "2", "c")
	first := w.check(t, w.a, all[1], 0)
	equal(t, "b", len(first.Messages), 1)
	second := w.check(t, w.b, all[2], 1)
	equal(t, "c is not kept waiting", fmt.Sprint(seqs(second.Messages), second.HasMore, second.Unread), "[1] true 1")
	w.confirm(t, w.b, second)
	w.clock.Advance(bridge.ClaimFor) // b's process was killed
	again := w.check(t, w.b, all[1], 0)
	equal(t, "b gets it again, marked", fmt.Sprint(seqs(again.Messages), again.Messages[0].Redelivered), "[1] true")
	rest := must(w.b.Check(t.Context(), all[2], bridge.CheckRequest{}, nil))(t)
	equal(t, "c gets the rest once", fmt.Sprint(seqs(rest.Messages), rest.Messages[0].Redelivered), "[2] false")
	peeked := must(w.a.PeekMessages(t.Context(), all[2], 0, 0))(t)
	equal(t, "c peeks", seqs(peeked.Messages), upTo(1, 2))
	both := must(w.a.CheckAll(t.Context(), []bridge.Credentials{all[1], all[2]}, bridge.CheckRequest{}, nil))(t)
	equal(t, "nothing is left", len(both.Messages), 0)
}

func historyOfOne(t *testing.T, w *world) {
	p := w.pair(t)
	w.sendTo(t, p.A, "before")
	w.sendTo(t, p.B, "before, too")
	joined := must(w.b.Join(t.Context(), must(w.a.Invite(t.Context(), p.A, "tester"))(t).JoinCode))(t)
	c := bridge.Credentials{Conversation: p.A.Conversation, Session: joined.Session, Token: joined.Token}
	w.sendTo(t, p.A, "to b", "b")
	w.sendTo(t, p.A, "to all", bridge.Everyone)
	w.sendTo(t, c, "to a", "a")
	for who, want := range map[bridge.Credentials][]string{
		p.A: {"before", "before, too", "to b", "to all", "to a"},
		p.B: {"before", "before, too", "to b", "to all"},
		c:   {"to all", "to a"},
	} {
		var got []string
		for before := int64(0); ; {
			h := must(w.b.History(t.Context(), who, before, 2))(t)
			for i := len(h.Messages) - 1; i >= 0; i-- {
				got = append([]string{h.Messages[i].Text}, got...)
			}
			if !h.HasMore {
				break
			}
			before = h.Messages[0].ID
		}
		equal(t, "history of "+string(who.Session), got, want)
	}
	h := must(w.b.History(t.Context(), c, 0, 0))(t)
	equal(t, "its own numbers", seqs(h.Messages), []int64{1, 2}) // the other is a's
}

func replyToVisible(t *testing.T, w *world) {
	all := w.room(t, 3)
	hidden, shown := w.sendTo(t, all[0], "to b", "b"), w.sendTo(t, all[0], "to c", "c")
	for id, want := range map[int64]bool{hidden.ID: false, shown.ID: true, shown.ID + 100: false} {
		_, err := w.a.Send(t.Context(), all[2], bridge.SendRequest{Text: "x", To: to("a"), ReplyTo: id})
		if want {
			wantError(t, err, nil)
		} else {
			wantInvalid(t, err, "reply_to")
		}
	}
}

func chargedForEach(t *testing.T, w *world) {
	all := w.room(t, 5)
	s := w.limit(t, bridge.Limits{Writes: perMinute(5)})
	must(s.Send(t.Context(), all[0], bridge.SendRequest{Text: "four", To: to("all")}))(t)
	_, err := s.Send(t.Context(), all[0], bridge.SendRequest{Text: "two", To: to("b", "c")})
	wantLimited(t, err)
	must(s.Send(t.Context(), all[0], bridge.SendRequest{Text: "one", To: to("b")}))(t)
	s = w.limit(t, bridge.Limits{Writes: perMinute(3)})
	_, err = s.Send(t.Context(), all[1], bridge.SendRequest{Text: "never", To: to("all")})
	wantInvalid(t, err, "to")
	equal(t, "entry", w.lastEntry(t), "b send_to_partner rate_limited")
}

func refusedForEach(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(3), Reads: perMinute(600), Failures: perMinute(20)})
	for argument, r := range map[string]bridge.SendRequest{
		"to":       {Text: "for nobody in particular"},
		"reply_to": {Text: "an answer to nothing", To: to("a"), ReplyTo: 1 << 40},
		"to all":   {Text: "for more than the limit", To: to("all")},
	} {
		all := bridgetest.NewRoom(t, s, 5)
		before := w.verify(t).Seq
		for range 600 {
			_, err := s.Send(t.Context(), all[1], r)
			wantInvalid(t, err, strings.TrimSuffix(argument, " all"))
		}
		for range 100 {
			_, err := s.Send(t.Context(), all[1], r)
			wantLimited(t, err)
		}
		if grown := w.verify(t).Seq - before; grown < 20 || grown > 60 {
			t.Errorf("%s: 700 refused messages made %d entries", argument, grown)
		}
		must(s.Send(t.Context(), all[1], bridge.SendRequest{Text: "a good one", To: to("a")}))(t)
		w.clock.Advance(time.Minute)
	}
}

func repeatedKeyOfMany(t *testing.T, w *world) {
	all := w.room(t, 4)
	r := bridge.SendRequest{Text: "once", To: to("b", "d"), IdempotencyKey: "k"}
	first := must(w.a.Send(t.Context(), all[0], r))(t)
	w.sendTo(t, all[1], "more", "d")
	w.unchanged(t, func() {
		r.To = to("c") // who repeats it gets the first answer, whatever else it says
		again := must(w.b.Send(t.Context(), all[0], r))(t)
		want := first
		want.Repeated = true
		equal(t, "second answer", again, want)
	})
}

func readOfMine(t *testing.T, w *world) {
	all := w.room(t, 3)
	mine := w.sendTo(t, all[0], "1", bridge.Everyone)
	w.sendTo(t, all[0], "2", "b")
	others := w.sendTo(t, all[1], "3", "c")
	w.clock.Advance(time.Second)
	at := w.clock.Now()
	w.texts(t, all[2])
	status := func(c bridge.Credentials, only bridge.SessionID) (told []string) {
		for _, s := range must(w.b.CheckPartners(t.Context(), c, only))(t).Partners {
			told = append(told, fmt.Sprint(s.Session, " ", s.Role, " ", s.ReadID, " ", s.ReadAt.Equal(at), " ", s.Unread, " ", *s.UnreadOfCaller))
		}
		return told
	}
	equal(t, "for a", status(all[0], ""), []string{"b frontend 0 false 2 2", fmt.Sprintf("c role c %d true 0 0", mine.ID)})
	equal(t, "for b", status(all[1], "c"), []string{fmt.Sprintf("c role c %d true 0 0", others.ID)})
	w.sendTo(t, all[0], "4", "c")
	sent := w.sendTo(t, all[1], "5", "c")
	equal(t, "what waits, and what of it is the caller's", status(all[1], "c"), []string{fmt.Sprintf("c role c %d true 2 1", others.ID)})
	equal(t, "the same in the answer to a send", sent.PartnerUnread, 2)
	_, err := w.b.CheckPartners(t.Context(), all[0], "d")
	wantInvalid(t, err, "session")
}

func splitOverRecipients(t *testing.T, w *world) {
	secret := "ghp_" + strings.Repeat("aB3dE6gH9", 4)
	first, second := secret[:20], secret[20:]
	for name, steps := range map[string][][2]string{
		"to the same":             {{first, "b"}, {second, "b"}},
		"to different ones":       {{first, "b"}, {second, "c"}},
		"with one for another":    {{first, "b"}, {"something else", "c"}, {second, "b"}},
		"one half for all":        {{first, "all"}, {"something else", "b"}, {second, "c"}},
		"from before there was c": nil,
	} {
		var all []bridge.Credentials
		if steps == nil {
			p := w.pair(t)
			w.sendTo(t, p.A, first)
			must(w.a.Join(t.Context(), must(w.a.Invite(t.Context(), p.A, "tester"))(t).JoinCode))(t)
			all, steps = []bridge.Credentials{p.A}, [][2]string{{second, "c"}}
		} else {
			all = w.room(t, 3)
		}
		var last bridge.Sent
		for _, step := range steps {
			last = w.sendTo(t, all[0], step[0], bridge.SessionID(step[1]))
		}
		equal(t, name, strings.Join(last.Redacted, ","), "GITHUB_TOKEN")
	}
}

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
	equal(t, "who came by its token stays", invite().Session == "c", false)
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
	must(w.a.Heartbeat(ctx, all[1]))(t) // b lives
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
	equal(t, "to who did not name it", send(all[0], "c").Shared.Files(), nil)
	equal(t, "b is told of nothing that it was not sent", w.standing(t, all[1]).Shared.Files(), nil)
	equal(t, "to who did", send(all[0], bridge.Everyone).Shared, bridge.Shared{"b": files})
	equal(t, "b is told", w.standing(t, all[1]).Shared, bridge.Shared{"a": files})
	equal(t, "c is not", w.standing(t, all[2]).Shared.Files(), nil)
}

// sharedByMany: what one session names does not hide what another did.
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
	equal(t, "what it was not told of stays", w.standing(t, all[0]).Shared, want)
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
