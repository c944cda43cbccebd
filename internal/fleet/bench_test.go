package fleet_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/tasks"
)

// live returns a service with the real clock.
func live(b *testing.B, env *bridgetest.Env) *bridge.Service {
	b.Helper()
	return bridge.New(bridge.Config{
		Store: env.Store(b), Key: env.Key, Doorbells: doorbell.New(filepath.Join(filepath.Dir(env.Path), "bells")),
	})
}

// BenchmarkPush measures the time from the beginning of a send until the message is shown
// by a follower with its own connection to the store. It includes the commit.
func BenchmarkPush(b *testing.B) {
	env := bridgetest.NewEnv(b)
	s, watcher := live(b, env), live(b, env)
	pair := bridgetest.NewPair(b, s)
	seen, ended := make(chan time.Time), make(chan error, 1)
	ctx, cancel := context.WithCancel(b.Context())
	go func() {
		ended <- fleet.Inbox{Bridge: watcher, Session: pair.B, Log: quiet, Show: func(context.Context, []bridge.Message) error {
			seen <- time.Now()
			return nil
		}}.Follow(ctx)
	}()
	var all []time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := s.Send(b.Context(), pair.A, bridge.SendRequest{Text: "hello"}); err != nil {
			b.Fatal(err)
		}
		all = append(all, (<-seen).Sub(begin))
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkHeartbeat(b *testing.B) {
	env := bridgetest.NewEnv(b)
	s := live(b, env)
	pair := bridgetest.NewPair(b, s)
	for b.Loop() {
		if _, err := s.Heartbeat(b.Context(), pair.B); err != nil {
			b.Fatal(err)
		}
	}
}

// fleetOf creates an orchestrator with n live workers, each with a task.
func fleetOf(b *testing.B, s bridgetest.Served, n int) (orchestrator []bridge.Credentials, workers []bridge.Credentials) {
	b.Helper()
	for i := range n {
		c, err := s.Create(b.Context(), bridge.CreateRequest{MyRole: "lead", PartnerRole: fmt.Sprintf("worker %d", i), Team: "blue", Holds: orchestrator[:min(i, 1)]})
		if err != nil {
			b.Fatal(err)
		}
		orchestrator = append(orchestrator, bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA})
		workers = append(workers, bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB})
		if _, err := s.Heartbeat(b.Context(), workers[i]); err != nil {
			b.Fatal(err)
		}
		if _, err := s.AssignTask(b.Context(), orchestrator[i], tasks.AssignRequest{Title: "work"}); err != nil {
			b.Fatal(err)
		}
	}
	return orchestrator, workers
}

// BenchmarkWatchdogCheck measures one round of the watchdog when no worker is silent.
func BenchmarkWatchdogCheck(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprintf("workers=%d", n), func(b *testing.B) {
			env := bridgetest.NewEnv(b)
			core := live(b, env)
			s := bridgetest.Served{Service: core, Tasks: env.Tasks(b, core)}
			fleetOf(b, s, n)
			w := fleet.Watchdog{Tasks: s.Tasks, Interval: time.Hour, After: time.Hour, Once: true, Log: quiet}
			for b.Loop() {
				if err := w.Run(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMove measures moving a task to one of ten other workers, including
// its three messages.
func BenchmarkMove(b *testing.B) {
	env := bridgetest.NewEnv(b)
	s := env.Served(b)
	_, workers := fleetOf(b, s, 10)
	for b.Loop() {
		b.StopTimer()
		open, err := s.Tasks.Tasks(b.Context(), true)
		if err != nil {
			b.Fatal(err)
		}
		env.Clock.Advance(time.Millisecond)
		for _, c := range workers {
			if c.Conversation == open[0].Worker {
				continue
			}
			if _, err := s.Heartbeat(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		moves, err := s.MoveTasks(b.Context(), bridge.System, open[0].Worker, time.Microsecond, false)
		if err != nil || len(moves) == 0 {
			b.Fatal(moves, err)
		}
	}
}
