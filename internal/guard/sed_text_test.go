package guard_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/verdict"
)

// TestSedText checks that the text of the commands a, i and c ends where sed ends
// it, and that what follows is read as a command again.
func TestSedText(t *testing.T) {
	for _, tt := range []struct {
		script string
		allow  bool
	}{
		{"a\\\ntext", true},
		{"a\\\ntext\\\nmore\np", true},
		{"2a text\np", true},
		{"a\\\ntext\ne id", false},
		{"a text\ne id", false},
		{"a foo\\\\\ne id", false},
		{"i\\\nx\nw out", false},
		{"c\\\nx\\\\\nr /etc/passwd", false},
	} {
		got := policy.Decide(guard.ModeRestricted, "sed '"+tt.script+"' a.txt", corpusContext())
		if got.Allow != tt.allow {
			t.Errorf("%q: allowed %t (%s), want %t", tt.script, got.Allow, got.Reason, tt.allow)
		}
	}
}

// TestDashIsAFile checks that a link named "-" cannot be used to write outside
// the rules.
func TestDashIsAFile(t *testing.T) {
	ws := t.TempDir()
	mustDo(t, os.WriteFile(filepath.Join(ws, ".envrc"), []byte("x"), 0o600))
	if err := os.Symlink(".envrc", filepath.Join(ws, "-")); err != nil {
		t.Skipf("MISSING: links cannot be made here: %v", err)
	}
	ctx := guard.Context{Workspace: ws, Home: filepath.Dir(ws), ReadRoots: []string{}}
	for _, command := range []string{"tee -", "touch -", "rm -", "git mv - x"} {
		if got := policy.Decide(guard.ModeRestricted, command, ctx); got.Allow {
			t.Errorf("%q is allowed", command)
		}
	}
	mustDo(t, os.Remove(filepath.Join(ws, "-")))
	for _, command := range []string{"cat -", "sort -", "diff a.txt -"} {
		if got := policy.Decide(guard.ModeRestricted, command, ctx); !got.Allow {
			t.Errorf("%q is refused: %s", command, got.Reason)
		}
	}
}

// TestMachineRefusals checks that a program that is not installed and a path with a
// link loop are refused under a rule of their own, not as a failure of the policy.
func TestMachineRefusals(t *testing.T) {
	ws := t.TempDir()
	if err := os.Symlink("loop", filepath.Join(ws, "loop")); err != nil {
		t.Skipf("MISSING: links cannot be made here: %v", err)
	}
	ctx := guard.Context{Workspace: ws, Home: filepath.Dir(ws), ReadRoots: []string{}}
	ctx.LookPath = func(string) (string, error) { return "", errors.New("it is not installed") }
	for command, want := range map[string]verdict.Rule{"cat loop": verdict.BadOperand, "rg x": verdict.ProgramLocation} {
		got := policy.Decide(guard.ModeSafe, command, ctx)
		if got.Allow || got.Rule != string(want) || !plainWords(got.Instead) {
			t.Errorf("%q: %+v, want rule %s", command, got, want)
		}
	}
}
