package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestManyWriters lets 64 senders in two processes write to eight inboxes. Numbers must
// have no gaps, each message must arrive once, and the log must verify.
func TestManyWriters(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	const writers, each, inboxes = 64, 10, 8
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	a, _ := gateway(t, dsn, key)
	b, _ := gateway(t, dsn, key)
	services := []*bridge.Service{a, b}
	var pairs []bridgetest.Pair
	for range inboxes {
		pairs = append(pairs, bridgetest.NewPair(t, a))
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range each {
				request := bridge.SendRequest{Text: fmt.Sprintf("%d/%d", w, n), IdempotencyKey: fmt.Sprintf("%d/%d", w, n)}
				for range 2 { // a repeated call stores nothing
					if _, err := services[(w+n)%2].Send(context.Background(), pairs[w%inboxes].A, request); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	for i, p := range pairs {
		got := map[string]bool{}
		for next := int64(1); ; {
			d, err := services[i%2].Check(context.Background(), p.B, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Messages) == 0 {
				break
			}
			for _, m := range d.Messages {
				if m.Seq != next || m.Redelivered || got[m.Text] {
					t.Errorf("message %d is %q, redelivered %t, twice %t: want number %d", m.Seq, m.Text, m.Redelivered, got[m.Text], next)
				}
				got[m.Text] = true
				next++
			}
			if err := services[(i+1)%2].Confirm(context.Background(), d.Claim); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != writers*each/inboxes {
			t.Errorf("inbox %d got %d messages, want %d", i, len(got), writers*each/inboxes)
		}
	}
	verify(t, a)
}

// TestBroadcastsAtOnce lets the sessions of a conversation write to all others at the
// same time, in two processes, while one invites more. Each inbox must be numbered
// without gaps in the order of the messages, and each message must be stored once.
func TestBroadcastsAtOnce(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	const sessions, each = 5, 8
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	a, _ := gateway(t, dsn, key)
	b, _ := gateway(t, dsn, key)
	services := []*bridge.Service{a, b}
	room := bridgetest.NewRoom(t, a, sessions)
	var all sync.WaitGroup
	for i, c := range room {
		all.Go(func() {
			for n := range each {
				request := bridge.SendRequest{Text: fmt.Sprintf("%d/%d", i, n), To: []bridge.SessionID{bridge.Everyone}}
				if _, err := services[(i+n)%2].Send(context.Background(), c, request); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mutex sync.Mutex
	invited := map[bridge.SessionID]bool{}
	for n := range 6 {
		all.Go(func() {
			i, err := services[n%2].Invite(context.Background(), room[0], "late")
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			invited[i.Session] = true
		})
	}
	all.Wait()
	if len(invited) != 6 {
		t.Errorf("%d sessions were invited, want 6", len(invited))
	}
	for i, c := range room {
		d, err := services[i%2].Check(context.Background(), c, bridge.CheckRequest{Limit: bridge.MaxPage}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n, m := range d.Messages {
			if m.Seq != int64(n+1) || n > 0 && m.ID <= d.Messages[n-1].ID {
				t.Errorf("session %s: message %d has number %d, want %d", c.Session, m.ID, m.Seq, n+1)
			}
		}
		if want := (sessions - 1) * each; len(d.Messages) != want {
			t.Errorf("session %s got %d messages, want %d", c.Session, len(d.Messages), want)
		}
	}
	o, err := a.Conversation(context.Background(), room[0].Conversation)
	if err != nil || o.Messages() != sessions*each || len(o.Sessions) != sessions+6 {
		t.Errorf("got %d messages of %d sessions, %v", o.Messages(), len(o.Sessions), err)
	}
	verify(t, a)
}

// TestMessagesOfAnyBytes sends text that PostgreSQL's text type cannot hold.
func TestMessagesOfAnyBytes(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	s, _ := gateway(t, dsn, key)
	p := bridgetest.NewPair(t, s)
	want := []string{
		"a\x00b", "\x1a00 \x00", "\xff\xfe", "caf\u00e9 \U0001f600",
		strings.Repeat("\x00", bridge.MaxMessageLength), strings.Repeat("\U0001f600", bridge.MaxMessageLength),
	}
	for i, text := range want {
		// An index row has at most 2704 bytes.
		request := bridge.SendRequest{Text: text, IdempotencyKey: strings.Repeat("\x00", 199) + strconv.Itoa(i)}
		for range 2 {
			if _, err := s.Send(context.Background(), p.A, request); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	for {
		d, err := s.Check(context.Background(), p.B, bridge.CheckRequest{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Messages) == 0 {
			break
		}
		for _, m := range d.Messages {
			got = append(got, m.Text)
		}
		if err := s.Confirm(context.Background(), d.Claim); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages came, want %d", len(got), len(want))
	}
	for i, text := range want {
		if got[i] != text {
			t.Errorf("message %d: got %d bytes that begin with %.20q, want %d that begin with %.20q", i, len(got[i]), got[i], len(text), text)
		}
	}
}
