package guard_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
)

// TestPolicy checks the project's own lists, one command a line; \N stands for a
// newline. A file is named MODE_allow.txt or MODE_deny.txt, with a suffix if a
// mode has several. A line that begins with "# " describes the lines after it.
func TestPolicy(t *testing.T) {
	files, err := filepath.Glob("testdata/policy/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no lists found: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			mode, want, _ := strings.Cut(name, "_")
			for _, command := range readLines(t, file) {
				got := policy.Decide(guard.Mode(mode), command, corpusContext())
				if got.Allow != strings.HasPrefix(want, "allow") {
					t.Errorf("%q: allow = %v (%s), want %s", command, got.Allow, got.Reason, want)
				}
				checkDecision(t, command, got)
			}
		})
	}
}

func readLines(tb testing.TB, file string) []string {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if line != "" && !strings.HasPrefix(line, "# ") {
			out = append(out, strings.ReplaceAll(line, `\N`, "\n"))
		}
	}
	return out
}
