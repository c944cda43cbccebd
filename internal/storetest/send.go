package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

var sendTests = []test{
	{"a message is kept as it was sent", keptAsSent},
	{"numbers have no gaps with many senders", gaplessNumbers},
	{"the two directions are numbered separately", directionsApart},
	{"an answer contains the session's standing", toldStanding},
	{"a repeated key returns the first answer", repeatedKey},
	{"a repeated key is answered over the limit and spends nothing", repeatedKeyOverLimit},
	{"concurrent sends with one key store one message", repeatedAtOnce},
	{"a key counts per sender and conversation", keysApart},
	{"a cancelled call stores nothing", cancelledSend},
	{"a message is made with the end of its sender's last message", tailOfLast},
	{"a clock set back does not reorder", orderWithoutClock},
}

// toPartner returns a draft for one session whose text rule makes from the last tail.
func toPartner(to bridge.SessionID, rule func(tail string) bridge.NewMessage) bridge.Draft {
	return bridge.Draft{
		To:   func(bridge.Roster) (bridge.Recipients, error) { return bridge.Recipients{to}, nil },
		Text: func(tails []string) bridge.NewMessage { return rule(strings.Join(tails, "|")) },
	}
}

func tailOfLast(t *testing.T, w *world) {
	p := w.pair(t)
	before := ""
	long := strings.Repeat("\u20ac", bridge.TailLength) // three bytes each
	for _, text := range []string{"short", "ends in \u00e9\u20ac\U0001F600", "a\x00zero\x00inside", "x" + long, ""} {
		rule := func(tail string) bridge.NewMessage {
			equal(t, "tail", tail, before)
			return bridge.NewMessage{Action: bridge.ActionInfo, Text: text}
		}
		must(w.storeB.AppendMessage(t.Context(), w.gate(p.A), "", toPartner(bridge.SessionB, rule)))(t)
		must(w.b.Send(t.Context(), p.B, bridge.SendRequest{Text: "something else"}))(t)
		before = strings.TrimPrefix(text, "x")
	}
}

func keptAsSent(t *testing.T, w *world) {
	p := w.pair(t)
	request := bridge.SendRequest{
		Text:   "line one\nline two\t\x00 \u202e \U0001F600 \u0627\u0644",
		Action: bridge.ActionProposal,
		Files:  []string{"a b.go", `quo"te`, "password"},
	}
	sent := must(w.a.Send(t.Context(), p.A, request))(t)
	d := w.check(t, w.b, p.B, 0)
	equal(t, "messages", d.Messages, []bridge.Message{{
		ID: sent.ID, Seq: 1, From: "a", To: bridge.Recipients{bridge.SessionB}, Action: request.Action,
		Text: request.Text, Files: request.Files, SentAt: w.clock.Now(),
	}})
}

func gaplessNumbers(t *testing.T, w *world) {
	const senders, each = 8, 15
	p := w.pair(t)
	var all sync.WaitGroup
	var mutex sync.Mutex
	var numbers []int64
	texts := map[int64]string{}
	for i := range senders {
		s := []*bridge.Service{w.a, w.b}[i%2]
		all.Go(func() {
			for n := range each {
				text := fmt.Sprintf("%d/%d", i, n)
				sent, err := s.Send(background(), p.A, bridge.SendRequest{Text: text})
				mutex.Lock()
				if err != nil {
					t.Error(err)
				}
				numbers = append(numbers, sent.Seq)
				texts[sent.Seq] = text
				mutex.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(numbers)
	equal(t, "numbers", numbers, upTo(1, senders*each))
	for _, m := range must(w.b.Messages(t.Context(), p.A.Conversation, 0, senders*each))(t) {
		equal(t, fmt.Sprintf("text of %d", m.Seq), m.Text, texts[m.Seq])
	}
	w.verify(t)
}

func directionsApart(t *testing.T, w *world) {
	p := w.pair(t)
	for i := range int64(3) {
		toB, toA := w.send(t, w.a, p.A), w.send(t, w.b, p.B)
		equal(t, "numbers", []int64{toB.Seq, toA.Seq}, []int64{i + 1, i + 1})
		equal(t, "unread by a and b", []int64{toA.PartnerUnread, toB.PartnerUnread}, []int64{i + 1, i + 1})
		if toA.ID <= toB.ID {
			t.Errorf("the later message has the id %d, the earlier %d", toA.ID, toB.ID)
		}
	}
}

// toldStanding checks that the standing in an answer is the same as the one queried
// separately.
func toldStanding(t *testing.T, w *world) {
	p := w.pair(t)
	files := []string{"a.go"}
	must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "mine", Files: files}))(t)
	sent := must(w.a.Send(t.Context(), p.B, bridge.SendRequest{Text: "mine, too", Files: files}))(t)
	equal(t, "of b's send", sent.Standing, w.standing(t, p.B))
	sent = must(w.a.Send(t.Context(), p.A, bridge.SendRequest{Text: "so I see"}))(t)
	equal(t, "of a's send", sent.Standing, w.standing(t, p.A))
	equal(t, "shared files", sent.Standing.Shared.Files(), files)
	equal(t, "unread", sent.Standing.Unread, 1)
	for range 2 { // with and without mail
		d := w.check(t, w.a, p.B, 0)
		equal(t, "of b's check", d.Standing, w.standing(t, p.B))
		w.confirm(t, w.a, d)
	}
}

func repeatedKey(t *testing.T, w *world) {
	p := w.pair(t)
	request := bridge.SendRequest{Text: "once", IdempotencyKey: "k"}
	first := must(w.a.Send(t.Context(), p.A, request))(t)
	w.send(t, w.a, p.A)
	w.clock.Advance(time.Minute)
	w.unchanged(t, func() {
		again := must(w.b.Send(t.Context(), p.A, request))(t)
		want := first
		want.Repeated, want.Now, want.Standing.Now = true, w.clock.Now(), w.clock.Now()
		equal(t, "second answer", again, want)
	})
	equal(t, "entry", w.lastEntry(t), "a send_to_partner ok")
}

func repeatedKeyOverLimit(t *testing.T, w *world) {
	s := w.limit(t, bridge.Limits{Writes: perMinute(2)})
	p := w.pair(t)
	request := bridge.SendRequest{Text: "once", IdempotencyKey: "k"}
	for i := range 5 {
		sent := must(s.Send(t.Context(), p.A, request))(t)
		equal(t, "repeated", sent.Repeated, i > 0)
	}
	w.send(t, s, p.A)
	_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"})
	wantLimited(t, err)
	sent := must(s.Send(t.Context(), p.A, request))(t)
	equal(t, "repeated over the limit", sent.Repeated, true)
}

func repeatedAtOnce(t *testing.T, w *world) {
	p := w.pair(t)
	var all sync.WaitGroup
	answers := make(chan bridge.Sent, 16)
	for i := range 16 {
		s := []*bridge.Service{w.a, w.b}[i%2]
		all.Go(func() {
			sent, err := s.Send(background(), p.A, bridge.SendRequest{Text: "once", IdempotencyKey: "k"})
			if err != nil {
				t.Error(err)
			}
			answers <- sent
		})
	}
	all.Wait()
	close(answers)
	first := 0
	for sent := range answers {
		if !sent.Repeated {
			first++
		}
		equal(t, "number", sent.Seq, 1)
	}
	equal(t, "first answers", first, 1)
	equal(t, "messages", len(must(w.a.Messages(t.Context(), p.A.Conversation, 0, 100))(t)), 1)
}

func keysApart(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	for _, c := range []bridge.Credentials{p.A, p.B, q.A, q.B} {
		sent := must(w.a.Send(t.Context(), c, bridge.SendRequest{Text: "once", IdempotencyKey: "k"}))(t)
		equal(t, "repeated", sent.Repeated, false)
	}
}

func cancelledSend(t *testing.T, w *world) {
	p := w.pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.unchanged(t, func() {
		_, err := w.a.Send(ctx, p.A, bridge.SendRequest{Text: "x"})
		wantError(t, err, ctx.Err())
	})
}

func orderWithoutClock(t *testing.T, w *world) {
	p := w.pair(t)
	for range 5 {
		w.send(t, w.a, p.A)
		w.clock.Advance(-time.Minute)
	}
	d := w.check(t, w.b, p.B, 0)
	equal(t, "delivered", seqs(d.Messages), upTo(1, 5))
	h := must(w.a.History(t.Context(), p.A, 0, 0))(t)
	equal(t, "history", seqs(h.Messages), upTo(1, 5))
}

func wantAs[T error](t testing.TB, err error, target *T) {
	t.Helper()
	if !errors.As(err, target) {
		t.Errorf("got %v, want a %T", err, *target)
	}
}
