package guard_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/verdict"
)

// corpusContext returns the fictitious machine on which the corpus is judged.
func corpusContext() guard.Context {
	return guard.Context{Workspace: "/home/user/projects/myapp", Home: "/home/user"}
}

type corpusRow struct {
	Mode    guard.Mode `json:"mode"`
	Command string     `json:"command"`
	Want    string     `json:"want"`
	Why     string     `json:"why"`
}

func readCorpus(tb testing.TB, name string) []corpusRow {
	tb.Helper()
	file, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var rows []corpusRow
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row corpusRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			tb.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil || len(rows) == 0 {
		tb.Fatalf("read %d rows: %v", len(rows), err)
	}
	return rows
}

// checkDecision checks what must hold for every decision: it has a reason, and
// either a plan or the rule that refuses the command and advice on what to write
// instead.
func checkDecision(t *testing.T, command string, got guard.Decision) {
	t.Helper()
	if got.Reason == "" || got.Allow == (got.Plan == nil) {
		t.Errorf("%.200q: a decision needs a reason, and exactly an allowed one a plan: %+v", command, got)
	}
	if got.Allow == (got.Rule != "") || got.Allow == (got.Instead != "") || got.Rule == string(verdict.PolicyFailed) {
		t.Errorf("%.200q: exactly a refusal names its rule and what to write instead: %+v", command, got)
	}
	if strings.Contains(got.Reason+got.Instead, "%!") {
		t.Errorf("%.200q: the refusal is not well written: %+v", command, got)
	}
}

func TestCorpus(t *testing.T) {
	for _, row := range readCorpus(t, "testdata/guard_corpus.jsonl") {
		got := policy.Decide(row.Mode, row.Command, corpusContext())
		if got.Allow != (row.Want == "allow") {
			t.Errorf("%s: %q: allow = %v (%s), want %s: %s", row.Mode, row.Command, got.Allow, got.Reason, row.Want, row.Why)
		}
		checkDecision(t, row.Command, got)
	}
}
