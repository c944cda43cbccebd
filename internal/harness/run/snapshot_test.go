package run_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

func snapshot(t *testing.T, faults string) *contract.Snapshot {
	t.Helper()
	s, found, err := run.Snapshot(t.Context(), load(t, oneSum, faults))
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	return s
}

// TestSnapshotDiff checks that each fault of the contract is a breaking change, both in a
// comparison and in a run, and that the sound server, or another era of it, is not.
func TestSnapshotDiff(t *testing.T) {
	old := snapshot(t, "")
	wants := map[string]string{
		"": "", "renamed-parameter": "text: is gone", "removed-tool": "tool add: is gone",
		"required-parameter": "times: is new and required", "legacy-only": "revision: was 2026-07-28",
	}
	for _, fault := range faultytest.FoundBy(faultytest.ByDiff) {
		if wants[fault.Name] == "" || fault.Kind != string(finding.BreakingChange) {
			t.Errorf("nothing is wanted for the fault %s", fault.Name)
		}
	}
	if len(old.Tools) != 5 || old.ListTokens == 0 || old.Instructions == "" {
		t.Fatalf("%+v", old)
	}
	for faults, want := range wants {
		t.Run(faults, func(t *testing.T) {
			var first string
			if changes := contract.Compare(old, snapshot(t, faults)); len(changes) > 0 {
				first = changes[0].Where + ": " + changes[0].Text
			}
			if (want == "") != (first == "") || !strings.Contains(first, want) {
				t.Errorf("want %q, got %q", want, first)
			}
			s := load(t, strings.Replace(oneSum, "tool: add", "method: ping", 1), faults)
			s.Groups[0].Cases[0].Expected, s.Groups[0].Cases[0].Input = suite.Expected{}, nil
			r := run.Run(t.Context(), run.Options{Suite: s, Plan: s.Plan(suite.Selection{}), Contract: old})
			if slices.Contains(kinds(r), finding.BreakingChange) != (want != "") {
				t.Errorf("a run finds %v", kinds(r))
			}
		})
	}
}

// TestListFaults checks that faults in a list of prompts or templates are found.
func TestListFaults(t *testing.T) {
	for _, fault := range faultytest.FoundBy(faultytest.ByList) {
		_, found, err := run.Snapshot(t.Context(), load(t, oneSum, fault.Name))
		if err != nil || len(found) != 1 || string(found[0].Kind) != fault.Kind {
			t.Errorf("%s: want %s, found %v, %v", fault.About, fault.Kind, found, err)
		}
	}
}

// TestSnapshotFindings checks that faults in a list are findings, and that a server that
// does not start gives an error without secrets.
func TestSnapshotFindings(t *testing.T) {
	s := load(t, oneSum, "no-input-schema")
	s.Server.MaxListTokens = 10
	_, found, err := run.Snapshot(t.Context(), s)
	if err != nil || len(found) != 2 || found[0].Kind != finding.BadTool || found[1].Kind != finding.TokenBudget {
		t.Error(found, err)
	}
	_, _, err = run.Snapshot(t.Context(), load(t, oneSum, "crash-start"))
	if start := new(wire.StartError); !errors.As(err, &start) || len(start.Findings) == 0 {
		t.Error(err)
	}
}

// TestSnapshotHidesSecrets checks that a secret of the suite that a description repeats is
// not written to a file.
func TestSnapshotHidesSecrets(t *testing.T) {
	s := load(t, oneSum, "")
	s.Server.Env["PASSWORD"] = "Repeat a text." // the text of a description
	got, _, err := run.Snapshot(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := json.Marshal(got); err != nil || strings.Contains(string(data), "Repeat a text.") {
		t.Error("the snapshot shows a secret", err)
	}
}
