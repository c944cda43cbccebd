package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

var manyTests = []test{
	{"a invites, and the code gives one further session", inviteGivesSession},
	{"only a invites, once, and up to 26", inviteLimits},
	{"a refused invitation costs a read", inviteRefusedCheaply},
	{"an invitation that nobody has used is replaced", invitePlaceAgain},
	{"with several partners a message must name its recipients", sendNamesRecipients},
	{"a message for all is stored once and numbered in each inbox", broadcastOnce},
	{"each inbox has its own claim and read mark", inboxesApart},
	{"a session sees what it sent or received since it joined", historyOfOne},
	{"pages of history and unread counts hold in a conversation that grew", manyThatGrew},
	{"an answer names only what its sender can see", replyToVisible},
	{"a write is charged for each recipient", chargedForEach},
	{"a refused message costs a read, and many of them are not logged", refusedForEach},
	{"a repeated key returns the whole first answer", repeatedKeyOfMany},
	{"the roster shows what each session has read of the caller's messages", readOfMine},
	{"the parts of a split secret do not meet in any inbox", splitOverRecipients},
	{"rotating a token locks out one session only", rotateOneOfMany},
	{"a session whose token is rotated before it joined keeps its place for a while", rotatedPlace},
	{"tasks go to any session and are visible to their worker", tasksOfMany},
	{"an alert names the silent worker of several", silentOfMany},
	{"claims of one conversation's sessions exclude each other", claimsOfMany},
	{"the operator's words are stored once", sayToMany},
	{"shared file names are reported only to the sessions that named them to each other", sharedOfMany},
	{"names given by one session do not hide those of another", sharedByMany},
	{"of very many names the last ones count, and they hide nobody else's", sharedAmongMuch},
	{"a conversation of many is removed completely", removeMany},
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
	w.clock.Advance(bridge.ClaimFor) // as if b's process had been killed
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
	equal(t, "its own numbers", seqs(h.Messages), []int64{1, 2}) // the other message is in a's inbox
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
		"to":       {Text: "without recipients"},
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
		r.To = to("c") // a repeated key gets the first answer, whatever else has changed
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
	equal(t, "unread counts, in all and from the caller", status(all[1], "c"), []string{fmt.Sprintf("c role c %d true 2 1", others.ID)})
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
