package fuzz_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/contract"
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

// options returns options for fuzzing the faulty server.
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
		Parts: snapshot.Primitives(called), Seed: 5, Calls: 240, Limit: 10 * time.Second,
		Open: func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) },
	}
}

// named returns the parts with a name.
func named(o fuzz.Options, name string) (parts []contract.Primitive) {
	for _, p := range o.Parts {
		if p.Name == name {
			parts = append(parts, p)
		}
	}
	return parts
}

// smallest are the minimal calls that show a fault. Unanswered calls are not reduced
// completely, since each attempt takes a whole time limit.
var smallest = map[string]fuzz.Case{
	"crash-quote":          {What: contract.IsTool, Name: "repeat", Arguments: map[string]any{"text": `"`}},
	"internal-error":       {What: contract.IsTool, Name: "repeat", Arguments: map[string]any{"text": "%"}},
	"takes-invalid":        {What: contract.IsTool, Name: "add", Arguments: map[string]any{}},
	"silent-long":          {What: contract.IsTool, Name: "repeat"},
	"template-crash":       {What: contract.IsTemplate, Name: "word://{word}", Arguments: map[string]any{"word": `"`}},
	"template-silent":      {What: contract.IsTemplate, Name: "word://{word}"},
	"template-contents":    {What: contract.IsTemplate, Name: "word://{word}"},
	"prompt-crash":         {What: contract.IsPrompt, Name: "greet", Arguments: map[string]any{"who": "%"}},
	"prompt-silent":        {What: contract.IsPrompt, Name: "greet"},
	"prompt-role":          {What: contract.IsPrompt, Name: "greet", Arguments: map[string]any{"who": ""}},
	"prompt-messages":      {What: contract.IsPrompt, Name: "greet", Arguments: map[string]any{"who": ""}},
	"prompt-takes-invalid": {What: contract.IsPrompt, Name: "greet", Arguments: map[string]any{}},
}

// TestEachFault checks that each fault is found with the minimal arguments that show it,
// and that the same seed gives the same result.
func TestEachFault(t *testing.T) {
	for _, fault := range faultytest.FoundBy(faultytest.ByFuzz) {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			want, ok := smallest[fault.Name]
			if !ok {
				t.Fatal("no call is wanted for this fault")
			}
			want.Kind = finding.Kind(fault.Kind)
			o, runs := options(t, fault.Name), 1
			if fault.Name == "crash-quote" {
				runs = 2
			}
			o.Parts, o.Calls, o.Limit = named(o, want.Name), 120, time.Minute
			if want.Kind == finding.NoAnswer {
				o.Limit, o.Calls = time.Second/2, 60
			}
			for range runs {
				failures, _, err := fuzz.Run(t.Context(), o)
				if err != nil || len(failures) != 1 {
					t.Fatal(failures, err)
				}
				got := failures[0].Case
				if want.Arguments == nil {
					got.Arguments = nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestSound checks that the server without faults has no findings in many calls, in both
// eras.
func TestSound(t *testing.T) {
	for _, faults := range []string{"", "legacy-only", "modern-only"} {
		t.Run(faults, func(t *testing.T) {
			t.Parallel()
			o := options(t, faults)
			o.Calls, o.Limit = 60, time.Minute
			failures, calls, err := fuzz.Run(t.Context(), o)
			if err != nil || len(failures) > 0 || calls < 300 {
				t.Error(failures, calls, err)
			}
		})
	}
}

// TestSilent checks that unanswered calls are limited, since each takes a whole time limit:
// a tool that leaves ten of them is not called any more.
func TestSilent(t *testing.T) {
	t.Parallel()
	o := options(t, "silent-long")
	o.Parts, o.Limit = named(o, "repeat"), time.Second/4
	failures, calls, err := fuzz.Run(t.Context(), o)
	if err != nil || len(failures) != 1 || failures[0].Kind != finding.NoAnswer {
		t.Error(failures, err)
	}
	if calls >= o.Calls {
		t.Errorf("all %d calls were made", calls)
	}
}

// TestAtWork checks that a call with large numbers may take longer than the limit.
func TestAtWork(t *testing.T) {
	t.Parallel()
	o := options(t, "slow-large")
	o.Parts, o.Limit, o.Calls = named(o, "add"), 10*time.Second, 60
	if failures, calls, err := fuzz.Run(t.Context(), o); err != nil || len(failures) > 0 || calls < 3 {
		t.Error(failures, calls, err)
	}
}

// TestCorpus checks that a failing call is saved, and is made first the next time.
func TestCorpus(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cases a[b")
	want := fuzz.Case{What: "tool", Name: "repeat", Arguments: map[string]any{"text": `"`}, Kind: finding.Crash}
	if _, err := fuzz.Save(folder, want); err != nil {
		t.Fatal(err)
	}
	if _, err := fuzz.Save(folder, fuzz.Case{What: "tool", Name: "../up/" + string(make([]byte, 300)), Kind: finding.Crash}); err != nil {
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
		t.Error("a file that is not a case was accepted")
	}
	if none, err := fuzz.Load(filepath.Join(folder, "none")); err != nil || len(none) > 0 {
		t.Error(none, err)
	}
}
