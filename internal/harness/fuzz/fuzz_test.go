package fuzz_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/fuzz"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

// options fuzz the faulty server.
func options(t *testing.T, faults string) fuzz.Options {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := suite.ForCommand([]string{program, "--faults", faults + ","})
	s.Server.Env = map[string]string{"FAULTY": "1"}
	snapshot, found, err := run.Snapshot(t.Context(), s)
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	called, left, err := snapshot.Callable(nil)
	if err != nil || len(called) != 4 || len(left) != 1 || left[0] != "count" {
		t.Fatal(called, left, err)
	}
	return fuzz.Options{
		Tools: snapshot.Checked(), Names: called, Seed: 5, Calls: 240, Limit: 10 * time.Second,
		Open: func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) },
	}
}

// TestRun: each fault is found with the smallest arguments that show it, and the same
// seed finds the same; the sound server has none.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		faults string
		want   []fuzz.Case
	}{
		{"", nil},
		{"crash-quote", []fuzz.Case{{Tool: "repeat", Arguments: map[string]any{"text": `"`}, Kind: finding.Crash}}},
		{"internal-error", []fuzz.Case{{Tool: "repeat", Arguments: map[string]any{"text": "%"}, Kind: finding.InternalError}}},
		{"takes-invalid", []fuzz.Case{{Tool: "add", Arguments: map[string]any{}, Kind: finding.TakesInvalid}}},
	} {
		t.Run(c.faults, func(t *testing.T) {
			t.Parallel()
			o := options(t, c.faults)
			for range 2 {
				failures, calls, err := fuzz.Run(t.Context(), o)
				var got []fuzz.Case
				for _, f := range failures {
					got = append(got, f.Case)
				}
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" || calls < 180 {
					t.Error(calls, err, diff)
				}
			}
		})
	}
}

// TestSilent: calls without an answer are few, since each costs a whole time limit: a
// tool that leaves ten of them is not called any more.
func TestSilent(t *testing.T) {
	t.Parallel()
	o := options(t, "silent-long")
	o.Names, o.Limit = []string{"repeat"}, time.Second/2
	failures, calls, err := fuzz.Run(t.Context(), o)
	if err != nil || len(failures) != 1 || failures[0].Kind != finding.NoAnswer {
		t.Error(failures, err)
	}
	if calls >= o.Calls {
		t.Errorf("all %d calls were made", calls)
	}
}

// TestAtWork: a call that was asked for much may take longer than the limit.
func TestAtWork(t *testing.T) {
	t.Parallel()
	o := options(t, "slow-large")
	o.Names, o.Limit, o.Calls = []string{"add"}, time.Second, 60
	if failures, calls, err := fuzz.Run(t.Context(), o); err != nil || len(failures) > 0 || calls < 10 {
		t.Error(failures, calls, err)
	}
}

// TestCorpus: a failing call is kept, and made first the next time.
func TestCorpus(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cases")
	want := fuzz.Case{Tool: "repeat", Arguments: map[string]any{"text": `"`}, Kind: finding.Crash}
	if _, err := fuzz.Save(folder, want); err != nil {
		t.Fatal(err)
	}
	if _, err := fuzz.Save(folder, fuzz.Case{Tool: "../up/" + string(make([]byte, 300)), Kind: finding.Crash}); err != nil {
		t.Fatal(err)
	}
	saved, err := fuzz.Load(folder)
	if err != nil || len(saved) != 2 {
		t.Fatal(saved, err)
	}
	o := options(t, "crash-quote")
	o.Saved, o.Calls = saved, 0
	failures, _, err := fuzz.Run(t.Context(), o)
	if err != nil || len(failures) != 1 || failures[0].Kind != finding.Crash {
		t.Error(failures, err)
	}
	data, _ := json.Marshal([]int{1})
	if err := os.WriteFile(filepath.Join(folder, "other.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fuzz.Load(folder); err == nil {
		t.Error("a file that is no case was taken")
	}
	if none, err := fuzz.Load(filepath.Join(folder, "none")); err != nil || len(none) > 0 {
		t.Error(none, err)
	}
}
