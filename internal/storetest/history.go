package storetest

import (
	"slices"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

var historyTests = []test{
	{"pages go back through both directions, read or not", historyPages},
	{"history marks nothing read", historyReadsNothing},
	{"history covers one conversation", historyApart},
	{"the operator pages forward", operatorPages},
	{"status and heartbeat of a partner", partnerStatus},
}

func historyPages(t *testing.T, w *world) {
	p := w.pair(t)
	var want []int64
	for range 4 {
		want = append(want, w.send(t, w.a, p.A).ID, w.send(t, w.b, p.B).ID, w.send(t, w.a, p.A).ID)
	}
	w.confirm(t, w.b, w.check(t, w.b, p.B, 3))
	for _, c := range []bridge.Credentials{p.A, p.B} {
		var got []int64
		before := int64(0)
		for {
			h := must(w.b.History(t.Context(), c, before, 5))(t)
			got = append(ids(h.Messages), got...)
			if !h.HasMore {
				break
			}
			before = h.Messages[0].ID
		}
		equal(t, "ids", got, want)
	}
	h := must(w.a.History(t.Context(), p.A, 0, bridge.MaxPage))(t)
	var read []int64
	for _, m := range h.Messages {
		equal(t, "direction", m.From, map[string]string{"a": "b", "b": "a"}[m.To.String()])
		if m.Read {
			read = append(read, m.Seq)
		}
	}
	equal(t, "read", read, upTo(1, 3))
	equal(t, "unread of the caller", h.Unread, 4)
	equal(t, "before the first", len(must(w.a.History(t.Context(), p.A, want[0], 5))(t).Messages), 0)
}

func historyReadsNothing(t *testing.T, w *world) {
	p := w.pair(t)
	w.send(t, w.a, p.A)
	w.unchanged(t, func() { must(w.b.History(t.Context(), p.B, 0, 0))(t) })
	d := w.check(t, w.b, p.B, 0)
	equal(t, "numbers", seqs(d.Messages), upTo(1, 1))
	equal(t, "redelivered", len(redelivered(d.Messages)), 0)
}

func historyApart(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	w.send(t, w.a, p.A)
	id := w.send(t, w.a, q.A).ID
	h := must(w.a.History(t.Context(), q.B, 0, 0))(t)
	equal(t, "ids", ids(h.Messages), []int64{id})
}

func operatorPages(t *testing.T, w *world) {
	p, q := w.pair(t), w.pair(t)
	var want []int64
	for range 5 {
		want = append(want, w.send(t, w.a, p.A).ID, w.send(t, w.a, p.B).ID)
		w.send(t, w.a, q.A)
	}
	var got []int64
	for {
		after := int64(0)
		if len(got) > 0 {
			after = got[len(got)-1]
		}
		page := must(w.b.Messages(t.Context(), p.A.Conversation, after, 3))(t)
		if len(page) == 0 {
			break
		}
		got = append(got, ids(page)...)
	}
	equal(t, "ids", got, want)
	equal(t, "in order", slices.IsSorted(got), true)
}

func partnerStatus(t *testing.T, w *world) {
	p := w.pair(t)
	equal(t, "before", w.partnerOf(t, p.B), bridge.SessionState{Session: bridge.SessionA, Role: "backend", SeenAt: w.clock.Now()})

	w.send(t, w.a, p.B)
	must(w.a.UpdateStatus(t.Context(), p.A, bridge.StatusBlocked))(t)
	at := w.clock.Now()
	w.clock.Advance(bridge.AliveFor - time.Second)
	state := w.partnerOf(t, p.B)
	want := bridge.SessionState{
		Session: bridge.SessionA, Role: "backend", Status: bridge.StatusBlocked,
		SeenAt: at, Received: 1, Unread: 1,
	}
	equal(t, "after", state, want)
	equal(t, "alive", state.Alive(w.clock.Now()), true)
	w.clock.Advance(time.Second)
	state = w.partnerOf(t, p.B)
	equal(t, "alive two minutes later", state.Alive(w.clock.Now()), false)

	update := must(w.a.UpdateStatus(t.Context(), p.A, bridge.StatusWorking))(t)
	equal(t, "unread with the update", update.Unread, 1)
	w.clock.Advance(-time.Hour)
	state = w.partnerOf(t, p.B)
	age, _ := state.Age(w.clock.Now())
	equal(t, "age of a heartbeat from the future", age, 0)
}
