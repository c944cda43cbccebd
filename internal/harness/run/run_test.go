package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

const header = `global:
  global_timeout_seconds: 5
  retry: {max_retries: 1}
server:
  command: ${PROGRAM}
  args: ["--faults", "${FAULTS}"]
  startup_timeout_seconds: 6
  env: {FAULTY: "1", DEPLOY_TOKEN: "${SECRET}"}
`

// load parses a suite for the faulty server.
func load(t *testing.T, text, faults string) *suite.Suite {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"PROGRAM": program, "FAULTS": faults, "SECRET": "hush-" + strings.Repeat("7f3a", 4)}
	if faults == "" {
		values["FAULTS"] = "," // no fault
	}
	s, err := suite.Parse("suite.yaml", []byte(text), "", func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func runSuite(t *testing.T, text, faults string) *run.Report {
	t.Helper()
	s := load(t, text, faults)
	return run.Run(t.Context(), run.Options{Suite: s, Plan: s.Plan(suite.Selection{})})
}

func kinds(r *run.Report) (all []finding.Kind) {
	for _, o := range append([]run.Outcome{r.Server}, r.Cases...) {
		for _, f := range o.Findings {
			all = append(all, f.Kind)
		}
	}
	return all
}

const oneSum = header + `
test_suites:
  - name: sums
    test_cases:
      - name: add
        tool: add
        input: {a: 1, b: 2}
        expected: {json: [{path: $.sum, equals: 3}]}
        performance: {max_duration_ms: 300}
        retries: 1
`

// TestEachFault checks that a run finds and names each fault, and that the report shows no
// secret.
func TestEachFault(t *testing.T) {
	for _, fault := range faultytest.FoundBy(faultytest.ByRun) {
		t.Run(fault.Name, func(t *testing.T) {
			if runtime.GOOS != "linux" && (fault.Kind == "left-process" || fault.Kind == "no-exit") {
				t.Skip("MISSING: /proc, by which processes outside of a group are found")
			}
			t.Parallel()
			text := strings.Replace(oneSum, "max_duration_ms: 300", "max_duration_ms: 60000", 1)
			switch fault.Kind {
			case "slow":
				text = oneSum
			case "flood", "too-large": // large amounts of data arrive slowly on a busy machine
				text = strings.Replace(text, "global_timeout_seconds: 5", "global_timeout_seconds: 60", 1)
			case "no-answer", "no-start": // waits until the time limit
				text = strings.Replace(text, "global_timeout_seconds: 5", "global_timeout_seconds: 1", 1)
				text = strings.Replace(text, "startup_timeout_seconds: 6", "startup_timeout_seconds: 1", 1)
			}
			r := runSuite(t, text, fault.Name)
			if !slices.Contains(kinds(r), finding.Kind(fault.Kind)) {
				t.Errorf("%s: want %s, found %+v and %+v", fault.About, fault.Kind, r.Server.Findings, r.Cases)
			}
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), "hush-7f3a") {
				t.Error("the report shows a secret of the suite")
			}
			if len(data) > 200_000 {
				t.Errorf("the report has %d bytes", len(data))
			}
		})
	}
}

// TestRefusedRevision checks that a refusal of the suite's revision is reported as such.
func TestRefusedRevision(t *testing.T) {
	refused := map[string]string{"legacy-only": "2026-07-28", "modern-only": "2025-11-25"}
	for _, fault := range faultytest.FoundBy(faultytest.ByRevision) {
		text := strings.Replace(oneSum, "server:", "server:\n  protocol: \""+refused[fault.Name]+"\"", 1)
		if got := kinds(runSuite(t, text, fault.Name)); !slices.Contains(got, finding.Kind(fault.Kind)) {
			t.Errorf("%s: want %s, found %v", fault.About, fault.Kind, got)
		}
	}
}

const sound = header + `
test_suites:
  - name: sums
    test_cases:
      - name: add
        tool: add
        input: {a: "{{matrix.a}}", b: "{{matrix.b}}"}
        matrix: {a: [1, 2.5], b: [0, -4]}
        expected:
          patterns: ['"sum":']
          not_patterns: [NaN]
          json: [{path: $.sum, exists: true}, {path: $.product, exists: false}, {path: $, count: 1}]
      - {name: wrong type, tool: add, input: {a: x, b: 1}, expect_error: true, expected: {patterns: [numbers]}}
      - {name: no such tool, tool: nothing, expected: {error_code: -32602}}
      - {name: ping, method: ping, depends_on: [add]}
  - name: counters
    test_cases:
      - name: counts on
        steps:
          - {name: first, tool: count, input: {name: c}, store: {id: $.id, before: $.value}}
          - {name: repeat, tool: repeat, input: {text: "at {{id}}"}, expected: {patterns: ['^at counter-c$']}}
          - name: second
            tool: count
            input: {name: c}
            expected: {json: [{path: $.id, equals: "{{id}}"}, {path: $.id, matches: ^counter-, contains: ter-c}]}
`

// TestSound checks that the server without faults has no findings, in both eras.
func TestSound(t *testing.T) {
	for _, faults := range []string{"", "legacy-only", "modern-only"} {
		for _, workers := range []int{1, 3} {
			t.Run(fmt.Sprint(faults, workers), func(t *testing.T) {
				s := load(t, sound, faults)
				s.Global.MaxConcurrency = workers
				r := run.Run(t.Context(), run.Options{Suite: s, Plan: s.Plan(suite.Selection{})})
				if r.Findings() > 0 || r.Count(run.Passed) != 8 || r.Tools != 5 || r.ListTokens == 0 || r.StartTime <= 0 {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

const failing = header + `
test_suites:
  - name: s
    test_cases:
      - {name: a, tool: fail, retries: 0}
      - {name: b, tool: repeat, input: {text: x}, depends_on: [a]}
      - {name: c, tool: repeat, input: {text: x}, depends_on: [b]}
      - {name: d, tool: repeat, input: {text: "{{nobody}}"}, retries: 0}
      - {name: e, tool: repeat, input: {text: x}}
`

// TestSkipped checks that cases that depend on a failed case do not run, and that with
// fail_fast no case runs after a failed one.
func TestSkipped(t *testing.T) {
	states := func(r *run.Report) (all []run.State) {
		for _, c := range r.Cases {
			all = append(all, c.State)
		}
		return all
	}
	r := runSuite(t, failing, "")
	if diff := cmp.Diff([]run.State{run.Failed, run.Skipped, run.Skipped, run.Failed, run.Passed}, states(r)); diff != "" {
		t.Error(diff)
	}
	r = runSuite(t, strings.Replace(failing, "global:", "global:\n  fail_fast: true", 1), "")
	if diff := cmp.Diff([]run.State{run.Failed, run.Skipped, run.Skipped, run.Skipped, run.Skipped}, states(r)); diff != "" {
		t.Error(diff)
	}
}

// TestGoesOn checks that a server that crashes with each call fails its cases, each of
// which is reported.
func TestGoesOn(t *testing.T) {
	r := runSuite(t, failing, "crash-call")
	if r.Count(run.Failed) != 3 || r.Count(run.Skipped) != 2 {
		t.Errorf("%+v", r.Cases)
	}
}

// TestEnded checks that a run ends when it is told to.
func TestEnded(t *testing.T) {
	s := load(t, sound, "")
	ctx, cancel := context.WithCancel(t.Context())
	r := run.Run(ctx, run.Options{Suite: s, Plan: s.Plan(suite.Selection{}), Progress: func(run.Outcome) { cancel() }})
	if r.Count(run.Skipped) == 0 {
		t.Errorf("%+v", r.Cases)
	}
}

// TestLimits checks the findings for exceeded token and memory limits.
func TestLimits(t *testing.T) {
	text := strings.Replace(oneSum, "server:", "server:\n  max_list_tokens: 10", 1)
	text = strings.Replace(text, "global:", "global:\n  resource_limits: {max_memory_mb: 1}", 1)
	r := runSuite(t, text, "")
	if got := kinds(r); !slices.Contains(got, finding.TokenBudget) || runtime.GOOS == "linux" && !slices.Contains(got, finding.Memory) {
		t.Error(got)
	}
}
