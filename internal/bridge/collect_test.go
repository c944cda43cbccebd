package bridge_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/ratelimit"
)

// storeOf is what a service asks its store for.
type storeOf = bridge.Store

// deafStore is a store whose inboxes can no longer be read, after a number of
// reads.
type deafStore struct {
	storeOf
	looks atomic.Int64
	last  int64 // the number of reads that succeed
}

var errDeaf = errors.New("this inbox cannot be looked at")

func (s *deafStore) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (bridge.SessionView, error) {
	if s.looks.Add(1) > s.last {
		return bridge.SessionView{}, errDeaf
	}
	return s.storeOf.PeekInbox(ctx, conversation, session)
}

// TestWaitersTellOfAStoreThatFails checks that an inbox that cannot be read is not taken
// for an empty one.
func TestWaitersTellOfAStoreThatFails(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(context.Context, *bridge.Service, bridgetest.Pair) error{
		"a look at several": func(ctx context.Context, s *bridge.Service, p bridgetest.Pair) error {
			_, err := s.CheckAll(ctx, []bridge.Credentials{p.A, p.B}, bridge.CheckRequest{}, nil)
			return err
		},
		"a wait for several": func(ctx context.Context, s *bridge.Service, p bridgetest.Pair) error {
			_, err := s.CheckAll(ctx, []bridge.Credentials{p.A, p.B}, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
			return err
		},
		"a wait for a message": func(ctx context.Context, s *bridge.Service, p bridgetest.Pair) error {
			return s.AwaitMessages(ctx, p.A, 0)
		},
		"a wait of a hook": func(ctx context.Context, s *bridge.Service, p bridgetest.Pair) error {
			return s.AwaitMail(ctx, p.A, 0, nil)
		},
	} {
		for last := range int64(2) {
			env := bridgetest.NewEnv(t)
			p := bridgetest.NewPair(t, env.Service(t))
			deaf := &deafStore{last: last}
			s := env.Service(t, func(c *bridge.Config) { deaf.storeOf, c.Store = c.Store, deaf })
			within, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if err := call(within, s, p); !errors.Is(err, errDeaf) {
				t.Errorf("%s, after %d looks: got %v", name, last, err)
			}
			cancel()
		}
	}
}

// TestSeveralInboxesAreOne checks that the oldest messages of all sessions come
// first, and that sessions with an invalid token are named.
func TestSeveralInboxesAreOne(t *testing.T) {
	t.Parallel()
	s := bridgetest.New(t)
	var pairs []bridgetest.Pair
	var all []bridge.Credentials
	for range 3 {
		p := bridgetest.NewPair(t, s)
		pairs, all = append(pairs, p), append(all, p.B)
	}
	for _, m := range []struct {
		pair int
		text string
	}{{2, "1"}, {0, "2"}, {2, "3"}, {1, "4"}, {0, "5"}} {
		if _, err := s.Send(t.Context(), pairs[m.pair].A, bridge.SendRequest{Text: m.text}); err != nil {
			t.Fatal(err)
		}
	}
	all[1].Token = pairs[1].A.Token
	for _, want := range []struct {
		limit  int
		texts  string
		claims int
		unread int64
	}{{3, "1 2 3", 2, 1}, {3, "5", 1, 0}, {3, "", 0, 0}} {
		got, err := s.CheckAll(t.Context(), all, bridge.CheckRequest{Limit: want.limit}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, m := range got.Messages {
			texts = append(texts, m.Text)
		}
		if strings.Join(texts, " ") != want.texts || len(got.Claims) != want.claims || got.Unread != want.unread || got.HasMore != (want.unread > 0) {
			t.Errorf("got %q, %d claims, %d unread, more %v, want %+v", texts, len(got.Claims), got.Unread, got.HasMore, want)
		}
		if len(got.Refused) != 1 || got.Refused[0] != all[1] {
			t.Errorf("refused %d, want the one with another's token", len(got.Refused))
		}
		for _, claim := range got.Claims {
			if err := s.Confirm(t.Context(), claim); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.CheckAll(t.Context(), all[1:2], bridge.CheckRequest{Wait: bridge.MaxWait}, nil); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("a wait that no token allows: %v", err)
	}
}

// TestLookAtSeveralIsCharged checks that a check that finds nothing is charged once, and
// one that finds messages is charged for each session that has some.
func TestLookAtSeveralIsCharged(t *testing.T) {
	t.Parallel()
	s := bridgetest.New(t)
	one, two := bridgetest.NewPair(t, s), bridgetest.NewPair(t, s)
	limits := bridge.DefaultLimits()
	limits.Reads = ratelimit.Limit{PerMinute: 2}
	bridgetest.SetLimits(t, s, limits)
	look := func() error {
		_, err := s.CheckAll(t.Context(), []bridge.Credentials{one.B, two.B}, bridge.CheckRequest{}, nil)
		return err
	}
	var limited *bridge.RateLimitError
	if first, second, third := look(), look(), look(); first != nil || second != nil || !errors.As(third, &limited) {
		t.Errorf("three looks of two that are allowed: %v, %v, %v", first, second, third)
	}
	if _, err := s.Check(t.Context(), two.B, bridge.CheckRequest{}, nil); err != nil {
		t.Errorf("the second session was charged, too: %v", err)
	}
}

// atListen is a Notifier that calls a function once, when somebody begins to
// listen.
type atListen struct {
	bridge.Notifier
	did atomic.Bool
	do  func()
}

func (n *atListen) Listen(key string) (<-chan struct{}, func() error, error) {
	if n.did.CompareAndSwap(false, true) {
		n.do()
	}
	return n.Notifier.Listen(key)
}

// TestWaitForSeveral checks that a caller that waits for two sessions keeps waiting
// for one when the other is refused, and for both while neither has mail.
func TestWaitForSeveral(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]bool{"both can get mail": false, "one is refused": true} {
		env := bridgetest.NewEnv(t)
		other := env.Service(t)
		one, two := bridgetest.NewPair(t, other), bridgetest.NewPair(t, other)
		if refused {
			one.B.Token = two.A.Token
		}
		n := &atListen{do: func() {
			if _, err := other.Send(t.Context(), two.A, bridge.SendRequest{Text: "late"}); err != nil {
				t.Error(err)
			}
		}}
		s := env.Service(t, func(c *bridge.Config) { n.Notifier, c.Doorbells = c.Doorbells, n })
		got, err := s.CheckAll(t.Context(), []bridge.Credentials{one.B, two.B}, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
		if err != nil || len(got.Messages) != 1 || got.Messages[0].Text != "late" {
			t.Errorf("%s: got %d messages: %v", name, len(got.Messages), err)
		}
	}
}

// sweeper is a Notifier that can remove the doorbells of waiters that are gone.
type sweeper struct {
	bellBook
	swept int
}

func (s *sweeper) Sweep() { s.swept++ }

// TestCompactSweepsBells checks that a cleanup ends by removing the doorbells of waiters
// that are gone, if the Notifier supports that.
func TestCompactSweepsBells(t *testing.T) {
	t.Parallel()
	bells := new(sweeper)
	if err := bridgetest.New(t, func(c *bridge.Config) { c.Doorbells = bells }).Compact(t.Context()); err != nil || bells.swept != 1 {
		t.Errorf("swept %d times: %v", bells.swept, err)
	}
	if err := bridgetest.New(t, func(c *bridge.Config) { c.Doorbells = new(bellBook) }).Compact(t.Context()); err != nil {
		t.Errorf("bells that cannot be swept: %v", err)
	}
}
