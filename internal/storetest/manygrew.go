package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"example.org/bridge/internal/bridge"
)

// grown is a conversation of two that more sessions join, together with the expected
// state.
type grown struct {
	*world
	random   *rand.Rand
	sessions []bridge.Credentials
	all      []bridge.Message
	unread   map[[2]bridge.SessionID]int64 // by sender and recipient
}

// manyThatGrew lets a pair talk, then three sessions, then four, with random
// recipients. Now and then one of them reads part of its mail. After each round
// everything is compared.
func manyThatGrew(t *testing.T, w *world) {
	p := w.pair(t)
	g := &grown{
		world: w, random: rand.New(rand.NewPCG(20, 13)), sessions: []bridge.Credentials{p.A, p.B},
		unread: map[[2]bridge.SessionID]int64{},
	}
	for _, role := range []string{"", "tester", "writer"} {
		if role != "" {
			i := must(w.a.Invite(t.Context(), p.A, role))(t)
			joined := must(w.b.Join(t.Context(), i.JoinCode))(t)
			g.sessions = append(g.sessions, bridge.Credentials{Conversation: joined.ID, Session: joined.Session, Token: joined.Token})
		}
		for range 12 {
			g.sendToSome(t)
			if g.random.IntN(3) == 0 {
				g.readSome(t)
			}
		}
		for _, c := range g.sessions {
			g.compareHistory(t, c)
			g.compareUnread(t, c)
		}
	}
	w.verify(t)
}

func (g *grown) sendToSome(t *testing.T) {
	t.Helper()
	order := g.random.Perm(len(g.sessions))
	from := g.sessions[order[0]]
	var names []bridge.SessionID
	for _, i := range order[1 : 2+g.random.IntN(len(order)-1)] {
		names = append(names, g.sessions[i].Session)
	}
	slices.Sort(names)
	sent := g.sendTo(t, from, fmt.Sprint("text ", len(g.all)), names...)
	g.all = append(g.all, bridge.Message{ID: sent.ID, From: string(from.Session), To: names})
	for _, name := range names {
		g.unread[[2]bridge.SessionID{from.Session, name}]++
	}
}

func (g *grown) readSome(t *testing.T) {
	t.Helper()
	reader := g.sessions[g.random.IntN(len(g.sessions))]
	d := g.check(t, g.b, reader, 1+g.random.IntN(4))
	for _, m := range d.Messages {
		g.unread[[2]bridge.SessionID{bridge.SessionID(m.From), reader.Session}]--
	}
	if len(d.Messages) > 0 {
		g.confirm(t, g.b, d)
	}
}

func (g *grown) compareHistory(t *testing.T, c bridge.Credentials) {
	t.Helper()
	var want, got []int64
	for _, m := range g.all {
		if m.From == string(c.Session) || slices.Contains(m.To, c.Session) {
			want = append(want, m.ID)
		}
	}
	for before, more := int64(0), true; more; {
		h := must(g.b.History(t.Context(), c, before, 3))(t)
		got = append(ids(h.Messages), got...)
		if more = h.HasMore; more {
			before = h.Messages[0].ID
		}
	}
	equal(t, "history of "+string(c.Session), got, want)
}

func (g *grown) compareUnread(t *testing.T, c bridge.Credentials) {
	t.Helper()
	if len(g.sessions) == 2 {
		return // with a single partner this is the total of its unread mail
	}
	for _, other := range must(g.a.CheckPartners(t.Context(), c, ""))(t).Partners {
		equal(t, fmt.Sprintf("what %s has not read of %s", other.Session, c.Session),
			*other.UnreadOfCaller, g.unread[[2]bridge.SessionID{c.Session, other.Session}])
	}
}
