package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// TestGitNote: the operator is told before, where git will not do what the mode
// promises.
func TestGitNote(t *testing.T) {
	top := t.TempDir()
	tree, plain := filepath.Join(top, "tree"), filepath.Join(top, "repository", "sub")
	for _, dir := range []string{tree, plain, filepath.Join(top, "repository", ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(tree, ".git"), []byte("gitdir: /x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name      string
		workspace string
		ceiling   guard.Mode
		backend   sandbox.Backend
		want      string
	}{
		{"a repository", filepath.Dir(plain), guard.ModeRestricted, "", "Git:          works"},
		{"under Landlock", filepath.Dir(plain), guard.ModeRestricted, sandbox.Landlock, "cannot write to it"},
		{"a part of one", plain, guard.ModeYolo, "", "the repository's top is"},
		{"a linked worktree", tree, guard.ModeRestricted, "", "a linked worktree"},
		{"safe mode", plain, guard.ModeSafe, "", ""},
		{"no sandbox", plain, guard.ModeYolo, sandbox.None, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := commands.Grant{Workspace: c.workspace, Ceiling: c.ceiling, Sandbox: c.backend}
			text := strings.Join(g.Describe(time.Now()), "\n")
			if c.want == "" && strings.Contains(text, "Git:") || !strings.Contains(text, c.want) {
				t.Error(text)
			}
		})
	}
}
