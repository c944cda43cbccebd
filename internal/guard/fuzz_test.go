package guard_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/verdict"
	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/syntax"
)

var modes = []guard.Mode{guard.ModeSafe, guard.ModeRestricted, guard.ModeYolo}

// decideBare calls Decide and fails the test if the policy panicked, which Decide
// reports as a refusal.
func decideBare(tb testing.TB, mode guard.Mode, command string) guard.Decision {
	tb.Helper()
	got := policy.Decide(mode, command, corpusContext())
	if got.Rule == string(verdict.PolicyFailed) {
		tb.Fatalf("%s: the policy panics at %q", mode, command)
	}
	return got
}

// FuzzDecide checks that no input makes the policy panic, that every decision has
// a reason, that a decision has a plan if and only if it allows the command, and
// that restricted mode allows whatever safe mode allows.
func FuzzDecide(f *testing.F) {
	for _, row := range readCorpus(f, "testdata/guard_corpus.jsonl") {
		f.Add(row.Command)
	}
	f.Fuzz(func(t *testing.T, command string) {
		var allowed []bool
		for _, mode := range modes {
			got := decideBare(t, mode, command)
			if got.Reason == "" || got.Allow == (got.Plan == nil) {
				t.Fatalf("%s: %q: %+v", mode, command, got)
			}
			allowed = append(allowed, got.Allow)
		}
		if allowed[0] && !allowed[1] {
			t.Fatalf("%q is allowed in safe mode and refused in restricted mode", command)
		}
	})
}

// FuzzReprint checks that a command which is printed again from its syntax tree
// is decided in the same way: the decision depends on the meaning of a command,
// not on its spelling.
func FuzzReprint(f *testing.F) {
	for _, row := range readCorpus(f, "testdata/guard_corpus.jsonl") {
		f.Add(row.Command)
	}
	f.Fuzz(func(t *testing.T, command string) {
		printed, ok := reprint(command)
		if !ok {
			return
		}
		for _, mode := range modes {
			before := decideBare(t, mode, command)
			if !before.Allow {
				continue
			}
			after := decideBare(t, mode, printed)
			if !after.Allow {
				t.Fatalf("%s: %q is allowed, but as %q it is refused: %s", mode, command, printed, after.Reason)
			}
			if diff := cmp.Diff(before.Plan.Steps, after.Plan.Steps); diff != "" {
				t.Fatalf("%s: %q and %q run differently:\n%s", mode, command, printed, diff)
			}
		}
	})
}

// reprint prints a command from its syntax tree. It reports false for a command
// that cannot be printed within the limits; such a command is not compared.
func reprint(command string) (string, bool) {
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true))
	file, err := parser.Parse(strings.NewReader(strings.Trim(command, " \t\n")), "")
	if err != nil {
		return "", false
	}
	var out bytes.Buffer
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&out, file); err != nil {
		return "", false
	}
	printed := strings.TrimSpace(out.String())
	return printed, len(printed) < 4<<10 && printed != ""
}

func TestReprintCorpus(t *testing.T) {
	for _, row := range readCorpus(t, "testdata/guard_corpus.jsonl") {
		printed, ok := reprint(row.Command)
		if !ok {
			continue
		}
		before := decideBare(t, row.Mode, row.Command)
		after := decideBare(t, row.Mode, printed)
		// Printing joins lines and drops control characters, so that the printed
		// command may be allowed.
		if before.Allow != after.Allow && !strings.ContainsFunc(row.Command, unicode.IsControl) {
			t.Errorf("%s: %q is %v, %q is %v (%s)", row.Mode, row.Command, before.Allow, printed, after.Allow, after.Reason)
		}
	}
}
