package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// TestFoldersAreComparedWithoutLinks checks that, in safe mode without a sandbox,
// comparing folders does not reveal the target of a link inside a folder.
func TestFoldersAreComparedWithoutLinks(t *testing.T) {
	l := newTestHome(t)
	for _, name := range []string{"one/f", "two/f"} {
		if err := os.MkdirAll(filepath.Join(l.workspace, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(l.home, "notes"), filepath.Join(l.workspace, "one", "f")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.workspace, "two", "f"), []byte("other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"diff one two", "diff -r one two", "diff one two/f", "diff -N one two"} {
		decision := l.decide(guard.ModeSafe, command)
		if !decision.Allow {
			continue
		}
		list, err := commands.SandboxList(*decision.Plan, l.workspace, commands.Access{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := sandbox.Run(t.Context(), list, sandbox.Options{Workspace: l.workspace, Backend: sandbox.None})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(res.Stdout), canary) {
			t.Errorf("%s shows what a link leads to: %s", command, res.Stdout)
		}
	}
}
