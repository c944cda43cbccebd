package service_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/service"
)

// log keeps what a service records.
type log struct{ lines []string }

func (l *log) record(_ context.Context, action string, details map[string]any) error {
	l.lines = append(l.lines, action)
	if by, ok := details["by"].(string); ok {
		l.lines[len(l.lines)-1] += " by " + by
	}
	return nil
}

// TestKeep checks that runs start on schedule, however long they take, and immediately on
// request, and that a run interrupted by the end is not counted.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []string
		begin := time.Now()
		var kept log
		s := service.New(service.Options{
			Every: 10 * time.Minute, Record: kept.record,
			Run: func(ctx context.Context, by string) service.Result {
				starts = append(starts, by+" "+time.Since(begin).String())
				select {
				case <-time.After(4 * time.Minute):
				case <-ctx.Done():
				}
				return service.Result{Started: begin, Passed: 1}
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Keep(ctx); close(done) }()
		time.Sleep(15 * time.Minute)
		if !s.Ask("anna") || !s.Ask("berta") { // the first one starts immediately
			t.Error("a run that was asked for does not start")
		}
		if s.Ask("carl") {
			t.Error("two runs wait")
		}
		time.Sleep(15 * time.Minute)
		cancel()
		<-done
		want := []string{"schedule 0s", "schedule 10m0s", "anna 15m0s", "berta 19m0s", "schedule 29m0s"}
		if diff := cmp.Diff(want, starts); diff != "" {
			t.Error(diff)
		}
		wantLog := []string{
			"harness_serve_start", "harness_serve_run by schedule", "harness_serve_run by schedule", "harness_serve_run by anna", "harness_serve_run by berta", "harness_serve_stop",
		}
		if diff := cmp.Diff(wantLog, kept.lines); diff != "" {
			t.Error(diff)
		}
	})
}

// results returns one result after the other, and then repeats the last.
func results(all ...service.Result) func(context.Context, string) service.Result {
	i := -1
	return func(context.Context, string) service.Result {
		i = min(i+1, len(all)-1)
		return all[i]
	}
}

// kept runs a service for some time and returns it.
func kept(t *testing.T, o service.Options, runs int) *service.Service {
	t.Helper()
	o.Every = time.Minute
	s := service.New(o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(runs)*time.Minute-time.Second)
	defer cancel()
	s.Keep(ctx)
	return s
}

// TestBaseline checks that the first ten runs without findings form the baseline, and that
// the current figure is that of the last five runs, so that a single slow run does not
// change it.
func TestBaseline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := func(d time.Duration, found int) service.Result {
			r := service.Result{Passed: 1, Times: []time.Duration{d, time.Millisecond}}
			if found > 0 {
				r.Findings = map[string]int{"mismatch": found}
			}
			return r
		}
		all := []service.Result{took(time.Hour, 1), {NotStarted: true}}
		for range 10 {
			all = append(all, took(20*time.Millisecond, 0))
		}
		all = append(all, took(time.Second, 0), took(20*time.Millisecond, 0))
		var learned []float64
		o := service.Options{Run: results(all...), Learned: func(p95 []float64) error { learned = p95; return errors.New("no room") }}
		var warned error
		o.Warn = func(err error) { warned = err }
		s := kept(t, o, len(all))
		if want := slices.Repeat([]float64{20}, 10); !slices.Equal(learned, want) || warned == nil {
			t.Errorf("learned %v, warned of %v", learned, warned)
		}
		text := figures(t, s)
		for _, want := range []string{
			"mcp_test_response_time_p95 0.02\n", "mcp_test_baseline_p95 0.02\n", `mcp_test_response_time_bucket{le="0.025"} 24` + "\n",
			`mcp_test_response_time_bucket{le="1"} 25` + "\n", `mcp_test_response_time_bucket{le="+Inf"} 26` + "\n", `mcp_test_runs_total{result="not_started"} 1` + "\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the figures lack %q:\n%s", want, text)
			}
		}
	})
}
