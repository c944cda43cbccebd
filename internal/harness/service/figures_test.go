package service_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/harness/service"
)

func figures(t *testing.T, s *service.Service) string {
	t.Helper()
	var out strings.Builder
	if err := s.Figures(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestFigures checks that rates are those of the last run, and sums those of all runs.
func TestFigures(t *testing.T) {
	for _, tt := range []struct {
		name string
		last service.Result
		want []string
	}{
		{"clean", service.Result{Passed: 3, Flaky: 1, Skipped: 5}, []string{"success_rate 1", "error_rate 0", "last_run_findings 0"}},
		{"a failure", service.Result{Passed: 3, Failed: 1, Findings: map[string]int{"crash": 1, "mismatch": 2}}, []string{
			"success_rate 0.75", "error_rate 0.25", "last_run_findings 3", `findings{kind="mismatch"} 2`, `total{state="failed"} 1`, `runs_total{result="findings"} 1`,
		}},
		{"no server", service.Result{NotStarted: true, Findings: map[string]int{"no-start": 1}}, []string{"success_rate 0", "error_rate 1", `runs_total{result="not_started"} 1`}},
		{"nothing ran", service.Result{Skipped: 2}, []string{"success_rate 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.last.Started, tt.last.Duration = time.Unix(1000, 0), 1500*time.Millisecond
				text := figures(t, kept(t, service.Options{Run: results(tt.last)}, 1))
				for _, want := range append(tt.want, "last_run_timestamp_seconds 1001.5", "run_duration_seconds 1.5", "interval_seconds 60") {
					if !strings.Contains(text, "\nmcp_test_"+want+"\n") {
						t.Errorf("the figures lack %q:\n%s", want, text)
					}
				}
			})
		})
	}
	if text := figures(t, service.New(service.Options{})); strings.Contains(text, "success_rate") {
		t.Errorf("before the first run there is a result:\n%s", text)
	}
}

// TestPromtoolReadsFigures checks that Prometheus accepts the text without complaints.
func TestPromtoolReadsFigures(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("MISSING: promtool")
	}
	var text string
	synctest.Test(t, func(t *testing.T) {
		text = figures(t, kept(t, service.Options{Run: results(service.Result{Passed: 1, Times: []time.Duration{time.Second}, Findings: map[string]int{"flood": 1}})}, 3))
	})
	cmd := exec.CommandContext(context.Background(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
