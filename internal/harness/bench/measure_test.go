package bench_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/harness/bench"
	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

var comparisons = flag.Int("comparisons", 0, "how often a server is compared with itself and with a slower one")

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

const text = `server:
  command: ${PROGRAM}
  env: {FAULTY: "1"}
test_suites:
  - name: sums
    test_cases:
      - name: add
        tool: add
        input: {a: 1, b: 2}
        expected: {json: [{path: $.sum, equals: 3}]}
      - name: two steps
        steps:
          - {tool: repeat, input: {text: hello}}
          - {tool: repeat, input: {text: goodbye}}
`

func load(t *testing.T) (*suite.Suite, []suite.Planned) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := suite.Parse("suite.yaml", []byte(text), "", func(string) (string, bool) { return program, true })
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Plan(suite.Selection{})
}

func with(s *suite.Suite, args ...string) *suite.Suite {
	return s.WithCommand(append([]string{s.Server.Command}, args...))
}

func TestMeasure(t *testing.T) {
	s, plan := load(t)
	done := 0
	result, err := bench.Measure(t.Context(), bench.Options{
		New: s, Old: with(s, "--work", "1ms"), Plan: plan, Blocks: 3, Calls: 4, Progress: func(n int) { done = n },
	})
	if err != nil || len(result.Found) > 0 || done != 3 {
		t.Fatalf("%v, %v, %d blocks done", err, result.Found, done)
	}
	for side, m := range map[string]bench.Measured{"new": result.New, "old": result.Old} {
		if m.Revision == "" {
			t.Errorf("%s: no revision", side)
		}
		for _, s := range m.Series {
			calls := 3
			if strings.HasPrefix(s.Name, "sums/") {
				calls = 3 * 4
			}
			if len(s.Blocks) != 3 || len(s.Calls) != calls {
				t.Errorf("%s: %s has %d blocks and %d calls", side, s.Name, len(s.Blocks), len(s.Calls))
			}
		}
	}
	// Each call of the old server takes an additional millisecond; a case with two steps
	// makes two calls.
	for name, least := range map[string]float64{"sums/add": 1, "sums/two steps": 2} {
		for _, s := range result.Old.Series {
			if s.Name == name && s.Blocks[0] < least {
				t.Errorf("%s took %v ms", name, s.Blocks)
			}
		}
	}
}

// A failing case cannot be measured, nor can a server that does not start.
func TestMeasureFails(t *testing.T) {
	s, plan := load(t)
	result, err := bench.Measure(t.Context(), bench.Options{New: s, Old: with(s, "--faults", "wrong-answer"), Plan: plan, Blocks: 2, Calls: 2})
	if err != nil || len(result.Found) != 1 || result.Found[0].Kind != finding.Mismatch || !strings.HasPrefix(result.Found[0].Where, "sums/add") {
		t.Errorf("a wrong answer: %v, %v", result.Found, err)
	}
	_, err = bench.Measure(t.Context(), bench.Options{New: s, Old: with(s, "--faults", "crash-start"), Plan: plan, Blocks: 2, Calls: 2})
	if start := new(wire.StartError); !errors.As(err, &start) {
		t.Errorf("a server that does not start: %v", err)
	}
}

// TestComparisons measures how often equal servers raise an alarm, and how often a server
// that is slower by 30 % is detected: 20 times each with -comparisons=20, which takes
// minutes.
func TestComparisons(t *testing.T) {
	if *comparisons == 0 {
		t.Skip("MISSING: -comparisons=20 runs this; it takes minutes")
	}
	s, plan := load(t)
	run := func(old, now time.Duration) bool {
		result, err := bench.Measure(t.Context(), bench.Options{
			Old: with(s, "--work", old.String()), New: with(s, "--work", now.String()), Plan: plan, Blocks: bench.Blocks(len(plan)), Calls: 15,
		})
		if err != nil || len(result.Found) > 0 {
			t.Fatalf("%v, %v", err, result.Found)
		}
		return alarms(bench.Compare(result.New, result.Old, 0.1), bench.Worse) > 0
	}
	same, slower := 0, 0
	for range *comparisons {
		if run(3*time.Millisecond, 3*time.Millisecond) {
			same++
		}
		if run(3*time.Millisecond, 3900*time.Microsecond) {
			slower++
		}
	}
	t.Logf("alarms: %d of %d for equal servers, %d of %d for one that is slower by 30 %%", same, *comparisons, slower, *comparisons)
	if same > max(1, *comparisons/20) || slower < *comparisons-max(1, *comparisons/20) {
		t.Error("too many alarms for equal servers, or too few for a slower one")
	}
}
