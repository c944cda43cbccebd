package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/tasks"
)

// bellBook is a Notifier that records which sessions are rung.
type bellBook struct {
	mu   sync.Mutex
	keys []string
}

func (b *bellBook) Ring(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys = append(b.keys, key[strings.IndexByte(key, '/')+1:])
}

func (b *bellBook) Listen(string) (<-chan struct{}, func() error, error) {
	return nil, nil, errors.New("nobody listens")
}

// taken returns the sessions rung since the last call, in order.
func (b *bellBook) taken() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.keys)
	all := strings.Join(b.keys, "")
	b.keys = nil
	return all
}

// TestOnlyWhoIsNamedIsWoken checks that a message to some of many sessions rings only
// those, and that a refused or repeated message rings nobody.
func TestOnlyWhoIsNamedIsWoken(t *testing.T) {
	t.Parallel()
	bells := new(bellBook)
	s := bridgetest.New(t, func(c *bridge.Config) { c.Doorbells = bells })
	room := bridgetest.NewRoom(t, s, 5)
	bells.taken()
	for _, step := range []struct {
		from int
		to   []bridge.SessionID
		want string
	}{
		{0, []bridge.SessionID{"c"}, "c"},
		{0, []bridge.SessionID{"e", "b"}, "be"},
		{3, []bridge.SessionID{bridge.Everyone}, "abce"},
		{0, nil, ""},
		{0, []bridge.SessionID{"f"}, ""},
	} {
		_, err := s.Send(t.Context(), room[step.from], bridge.SendRequest{Text: "x", To: step.to, IdempotencyKey: strings.Join([]string{"k", step.want}, "")})
		if got := bells.taken(); got != step.want || (err == nil) != (step.want != "") {
			t.Errorf("to %v rang for %q, want %q: %v", step.to, got, step.want, err)
		}
		_, _ = s.Send(t.Context(), room[step.from], bridge.SendRequest{Text: "x", To: step.to, IdempotencyKey: strings.Join([]string{"k", step.want}, "")})
		if got := bells.taken(); got != "" {
			t.Errorf("a repeated call rang for %q", got)
		}
	}
	if _, err := s.Say(t.Context(), bridge.SayRequest{Conversation: room[0].Conversation, To: []bridge.SessionID{"d"}, Text: "x"}); err != nil || bells.taken() != "d" {
		t.Errorf("the operator's words rang for others: %v", err)
	}
}

// TestGivenBackRings checks that those who wait for a session's mail are rung when a
// delivery ends, both when its messages are given back and when more messages follow them.
func TestGivenBackRings(t *testing.T) {
	t.Parallel()
	bells := new(bellBook)
	s := bridgetest.New(t, func(c *bridge.Config) { c.Doorbells = bells })
	p := bridgetest.NewPair(t, s)
	for name, end := range map[string]func(context.Context, bridge.Claim) error{"given back": s.GiveBack, "confirmed": s.Confirm} {
		if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: name}); err != nil {
			t.Fatal(err)
		}
		d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		bells.taken()
		if err := end(t.Context(), d.Claim); err != nil || bells.taken() != "b" {
			t.Errorf("%s: b was not rung, %v", name, err)
		}
	}
}

// TestTasksRing checks that the assignee and the creator of a task are rung when there
// is a notice for them, in addition to those who watch the conversation.
func TestTasksRing(t *testing.T) {
	t.Parallel()
	bells := new(bellBook)
	s := bridgetest.NewServed(t, func(c *bridge.Config) { c.Doorbells = bells })
	p := bridgetest.NewPair(t, s.Service)
	bells.taken()
	given, err := s.AssignTask(t.Context(), p.A, tasks.AssignRequest{Title: "a", Body: "b", To: p.B.Session})
	if err != nil || bells.taken() != "b" {
		t.Errorf("the worker was not rung: %v", err)
	}
	if _, err := s.UpdateTask(t.Context(), p.B, tasks.Report{ID: given.Task.ID, State: tasks.Done, Note: "done"}); err != nil || bells.taken() != "a" {
		t.Errorf("who gave the task was not rung: %v", err)
	}
}
