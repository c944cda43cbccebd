package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/fleet"
)

// programEnv makes the test binary act as an outlet program.
const programEnv = "FLEET_TEST_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(programEnv) {
	case "record":
		text, _ := io.ReadAll(os.Stdin)
		fmt.Printf("%d arguments, token %q, event %s", len(os.Args)-1, os.Getenv("BRIDGE_TOKEN"), text)
	case "fail":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	default:
		os.Exit(m.Run())
	}
}

var quiet = slog.New(slog.DiscardHandler)

// flaky fails the first heartbeats.
type flaky struct {
	bridge.Store
	failures atomic.Int64
}

func (f *flaky) Heartbeat(ctx context.Context, g bridge.Gate) (bridge.Pulse, error) {
	if f.failures.Add(-1) >= 0 {
		return bridge.Pulse{}, bridge.ErrStoreFull
	}
	return f.Store.Heartbeat(ctx, g)
}

func TestKeepalive(t *testing.T) {
	env := bridgetest.NewEnv(t)
	store := &flaky{Store: env.Store(t)}
	s := bridge.New(bridge.Config{Store: store, Key: env.Key, Now: env.Clock.Now})
	pair := bridgetest.NewPair(t, s)
	if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, c bridge.Credentials, beat func(bridge.Pulse) error) error {
		return fleet.Keepalive{Bridge: s, Session: c, Interval: time.Millisecond, Beat: beat, Log: quiet}.Run(ctx)
	}
	t.Run("goes on after failures until it is told to end", func(t *testing.T) {
		store.failures.Store(3)
		ctx, cancel := context.WithCancel(t.Context())
		beats := 0
		err := run(ctx, pair.B, func(p bridge.Pulse) error {
			if beats++; beats == 20 {
				cancel()
			}
			if p.Unread != 1 {
				t.Errorf("unread %d, want 1: something marks it read", p.Unread)
			}
			return nil
		})
		if err != nil || beats != 20 {
			t.Errorf("%d beats: %v", beats, err)
		}
	})
	t.Run("ends where it is refused", func(t *testing.T) {
		wrong := pair.B
		wrong.Token = pair.A.Token
		if err := run(t.Context(), wrong, nil); !errors.Is(err, bridge.ErrUnauthorized) {
			t.Error(err)
		}
	})
	t.Run("ends with its output", func(t *testing.T) {
		if err := run(t.Context(), pair.B, func(bridge.Pulse) error { return io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
	t.Run("ends with its conversation", func(t *testing.T) {
		err := run(t.Context(), pair.B, func(bridge.Pulse) error {
			env.Clock.Advance(time.Hour)
			return nil
		})
		if !errors.Is(err, bridge.ErrExpired) {
			t.Error(err)
		}
	})
}

func TestWatch(t *testing.T) {
	for name, onlyNew := range map[string]bool{"from the unread": false, "only new": true} {
		t.Run(name, func(t *testing.T) {
			env := bridgetest.NewEnv(t)
			s, other := env.Service(t), env.Service(t)
			pair := bridgetest.NewPair(t, s)
			send := func() {
				if _, err := other.Send(context.Background(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
					t.Error(err)
				}
			}
			const waiting, all = 3, 3 + bridge.MaxPage
			for range waiting {
				send()
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := make(chan int64, all)
			ended := make(chan error, 1)
			go func() {
				ended <- fleet.Inbox{Bridge: s, Session: pair.B, OnlyNew: onlyNew, Log: quiet, Show: func(_ context.Context, page []bridge.Message) error {
					for _, m := range page {
						seen <- m.Seq
					}
					return nil
				}}.Follow(ctx)
			}()
			next := int64(1)
			if onlyNew {
				awaitEntry(t, other, "peek_messages")
				next = waiting + 1
			}
			for range all - waiting {
				send()
			}
			for ; next <= all; next++ {
				if got := <-seen; got != next {
					t.Fatalf("got message %d, want %d", got, next)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if state, err := s.CheckPartners(context.Background(), pair.A, ""); err != nil || state.Partners[0].Unread != all {
				t.Errorf("unread %d, want %d: %v", state.Partners[0].Unread, all, err)
			}
		})
	}
}

// awaitEntry waits until the audit log contains an entry.
func awaitEntry(t *testing.T, s *bridge.Service, action string) {
	t.Helper()
	for {
		last, err := s.AuditEntries(t.Context(), bridge.AuditQuery{Last: true, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if last[0].Action == action {
			return
		}
	}
}

func TestFollowEndsWithItsConversation(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s := env.Service(t)
	pair := bridgetest.NewPair(t, s)
	if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	err := fleet.Inbox{Bridge: s, Session: pair.B, Log: quiet, Show: func(context.Context, []bridge.Message) error {
		env.Clock.Advance(bridge.DefaultTTL)
		return nil
	}}.Follow(t.Context())
	if !errors.Is(err, bridge.ErrExpired) {
		t.Error(err)
	}
}

func TestInboxRead(t *testing.T) {
	s := bridgetest.New(t)
	pair := bridgetest.NewPair(t, s)
	const messages = bridge.MaxPage + 5
	for range messages {
		if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	broken := func(context.Context, []bridge.Message) error { return io.ErrClosedPipe }
	fine := func(context.Context, []bridge.Message) error { return nil }
	unread := func() int64 {
		state, err := s.CheckPartners(t.Context(), pair.A, "")
		if err != nil {
			t.Fatal(err)
		}
		return state.Partners[0].Unread
	}
	for _, step := range []struct {
		name     string
		markRead bool
		show     func(context.Context, []bridge.Message) error
		want     error
		shown    int
		left     int64
	}{
		{"looking", false, fine, nil, messages, messages},
		{"marking what could not be shown", true, broken, io.ErrClosedPipe, 0, messages},
		{"marking", true, fine, nil, messages, 0},
		{"again", true, fine, nil, 0, 0},
	} {
		shown, err := fleet.Inbox{Bridge: s, Session: pair.B, MarkRead: step.markRead, Show: step.show}.Read(t.Context())
		if shown != step.shown || !errors.Is(err, step.want) || unread() != step.left {
			t.Errorf("%s: %d shown, %d left: %v", step.name, shown, unread(), err)
		}
	}
}

// TestFollowMarksRead checks that messages that Show accepted are read, and
// that those it refused are delivered again.
func TestFollowMarksRead(t *testing.T) {
	s := bridgetest.New(t)
	pair := bridgetest.NewPair(t, s)
	for range 3 {
		if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	var shown []int64
	err := fleet.Inbox{Bridge: s, Session: pair.B, MarkRead: true, Page: 1, Log: quiet, Show: func(_ context.Context, page []bridge.Message) error {
		if shown = append(shown, page[0].Seq); len(shown) == 2 {
			return io.ErrClosedPipe
		}
		return nil
	}}.Follow(t.Context())
	if !errors.Is(err, io.ErrClosedPipe) || len(shown) != 2 {
		t.Errorf("shown %d: %v", shown, err)
	}
	d, err := s.Check(t.Context(), pair.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 2 || d.Messages[0].Seq != 2 || !d.Messages[0].Redelivered {
		t.Errorf("left %v: %v", d.Messages, err)
	}
}

// TestGracePeriods checks for which readings of the two clocks the watchdog ignores
// silences.
func TestGracePeriods(t *testing.T) {
	const interval, after = time.Minute, 5 * time.Minute
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		wall, mono []time.Duration // since the first round
		want       []time.Duration
	}{
		"a clock that runs":      {[]time.Duration{0, interval, 2 * interval}, []time.Duration{0, interval, 2 * interval}, []time.Duration{0, 0, 0}},
		"a small correction":     {[]time.Duration{0, interval + 4*time.Second}, []time.Duration{0, interval}, []time.Duration{0, 0}},
		"set forward":            {[]time.Duration{0, time.Hour, time.Hour + interval}, []time.Duration{0, interval, 2 * interval}, []time.Duration{0, after, after - interval}},
		"set back":               {[]time.Duration{0, -time.Hour}, []time.Duration{0, interval}, []time.Duration{0, after}},
		"slept":                  {[]time.Duration{0, 8 * time.Hour}, []time.Duration{0, time.Second}, []time.Duration{0, after}},
		"not run for long":       {[]time.Duration{0, time.Hour}, []time.Duration{0, time.Hour}, []time.Duration{0, after}},
		"a little late":          {[]time.Duration{0, 3 * interval}, []time.Duration{0, 3 * interval}, []time.Duration{0, 0}},
		"the grace runs out":     {[]time.Duration{0, time.Hour, time.Hour + 3*interval, time.Hour + 6*interval}, []time.Duration{0, interval, 4 * interval, 7 * interval}, []time.Duration{0, after, 2 * interval, 0}},
		"set again in the grace": {[]time.Duration{0, time.Hour, 2 * time.Hour}, []time.Duration{0, interval, 2 * interval}, []time.Duration{0, after, after}},
	} {
		walls := make([]time.Time, len(tt.wall))
		for i, d := range tt.wall {
			walls[i] = start.Add(d)
		}
		if diff := cmp.Diff(tt.want, fleet.GracePeriods(interval, after, walls, tt.mono)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWatchdogAfterSleep checks that after the machine slept, no worker counts
// as silent before it had time for a heartbeat.
func TestWatchdogAfterSleep(t *testing.T) {
	const after = 100 * time.Millisecond
	env := bridgetest.NewEnv(t)
	s := env.Service(t)
	watched := env.Tasks(t, s)
	lives, died := bridgetest.NewPair(t, s), bridgetest.NewPair(t, s)
	beat := func(c bridge.Credentials) {
		if _, err := s.Heartbeat(context.Background(), c); err != nil {
			t.Error(err)
		}
	}
	beat(lives.B)
	beat(died.B)
	missed := func() (all []string) {
		workers, err := watched.Workers(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, w := range workers {
			if !w.SilentSince.IsZero() {
				all = append(all, w.Conversation)
			}
		}
		return all
	}
	ctx, cancel := context.WithCancel(t.Context())
	looks := []time.Duration{0, time.Millisecond, after / 2, after, after + time.Millisecond, after + 2*time.Millisecond}
	n := 0
	w := fleet.Watchdog{Tasks: watched, Interval: time.Millisecond, After: after, Log: quiet}
	w.SetClock(func() (time.Time, time.Duration) {
		if n > 0 {
			env.Clock.Advance(looks[n] - looks[n-1])
		}
		switch n {
		case 1:
			env.Clock.Advance(time.Hour) // while the machine sleeps
		case 3:
			beat(lives.B)
		}
		if got := missed(); n < 5 && got != nil {
			t.Errorf("before look %d %v are missed", n, got)
		}
		if n == len(looks)-1 {
			cancel()
		}
		mono := looks[n]
		n++
		return env.Clock.Now(), mono
	})
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{died.B.Conversation}, missed()); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
}
