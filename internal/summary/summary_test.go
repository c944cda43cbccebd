package summary_test

import (
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/ratelimit"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/tasks"
)

// TestStuck checks the rule for agents that somebody should look after.
func TestStuck(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	silent := now.Add(-bridge.AliveFor)
	for name, tt := range map[string]struct {
		session bridge.SessionState
		paused  bool
		want    bool
	}{
		"works":                             {session: bridge.SessionState{Session: "a", SeenAt: now, Status: bridge.StatusWorking, Unread: 3}},
		"says blocked":                      {session: bridge.SessionState{Session: "a", SeenAt: now, Status: bridge.StatusBlocked}, want: true},
		"says blocked, but it is paused":    {session: bridge.SessionState{Session: "a", SeenAt: now, Status: bridge.StatusBlocked}, paused: true},
		"silent":                            {session: bridge.SessionState{Session: "b", SeenAt: silent, Status: bridge.StatusWorking}},
		"silent, and messages wait":         {session: bridge.SessionState{Session: "b", SeenAt: silent, Unread: 1}, want: true},
		"silent after it said complete":     {session: bridge.SessionState{Session: "b", SeenAt: silent, Unread: 1, Status: bridge.StatusComplete}},
		"messages wait for nobody that was": {session: bridge.SessionState{Session: "b", Unread: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (summary.Agent{SessionState: tt.session, Paused: tt.paused}).Stuck(now); got != tt.want {
				t.Errorf("stuck is %t", got)
			}
		})
	}
}

// TestGather checks the counts, that stuck agents come first, and that ended items are left
// out.
func TestGather(t *testing.T) {
	e := bridgetest.NewEnv(t)
	core := e.Service(t)
	s := summary.Sources{Bridge: core, Commands: e.Commands(t, core), Tasks: e.Tasks(t, core), Claims: claims.New(core, e.Store(t))}
	old := bridgetest.NewPair(t, core)
	e.Clock.Advance(bridge.DefaultTTL)
	pair := bridgetest.NewPair(t, core)
	must(t, send(t, core, pair.A, "one"))
	_, err := core.UpdateStatus(t.Context(), pair.B, bridge.StatusBlocked)
	must(t, err)
	_, err = s.Tasks.AssignTask(t.Context(), pair.A, tasks.AssignRequest{Title: "one", Needs: "designer"})
	must(t, err)
	_, err = s.Claims.Take(t.Context(), pair.B, claims.Request{Paths: []string{"a.go"}})
	must(t, err)
	_, err = core.Pause(t.Context(), old.A.Conversation)
	must(t, err)
	e.Clock.Advance(time.Second)

	sum, err := s.Gather(t.Context(), e.Clock.Now())
	must(t, err)
	if sum.Live != 1 || sum.Paused != 0 || sum.Alive != 2 || sum.Silent != 0 || sum.Unread != 1 || len(sum.Tasks) != 1 || len(sum.Claims) != 1 || len(sum.All) != 2 {
		t.Errorf("gathered %+v", sum)
	}
	if stuck := sum.Stuck(); len(stuck) != 1 || stuck[0].Session != "b" || len(sum.Agents) != 2 || len(sum.Unassigned()) != 1 {
		t.Errorf("stuck are %+v of %+v", stuck, sum.Agents)
	}
}

// TestSince checks that messages and refusals are counted separately, and only
// those within the period.
func TestSince(t *testing.T) {
	e := bridgetest.NewEnv(t)
	core := e.Service(t)
	s := summary.Sources{Bridge: core}
	pair := bridgetest.NewPair(t, core)
	must(t, send(t, core, pair.A, "old"))
	e.Clock.Advance(2 * time.Hour)
	must(t, send(t, core, pair.A, "new"))
	wrong := pair.A
	wrong.Token = pair.B.Token
	if err := send(t, core, wrong, "x"); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Fatal(err)
	}
	bridgetest.SetLimits(t, core, bridge.Limits{Writes: ratelimit.Limit{PerMinute: 1}})
	must(t, send(t, core, pair.B, "again"))
	if err := send(t, core, pair.B, "too soon"); !errors.As(err, new(*bridge.RateLimitError)) {
		t.Fatal(err)
	}
	for since, want := range map[time.Duration][3]int64{time.Hour: {2, 1, 1}, 24 * time.Hour: {3, 1, 1}} {
		p, err := s.Since(t.Context(), e.Clock.Now().Add(-since))
		must(t, err)
		if got := [3]int64{p.Sent, p.Refused, p.Limited}; got != want {
			t.Errorf("in %s: sent, refused and limited are %v, want %v", since, got, want)
		}
	}
}

func send(t *testing.T, s *bridge.Service, from bridge.Credentials, text string) error {
	t.Helper()
	_, err := s.Send(t.Context(), from, bridge.SendRequest{Text: text})
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
