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

// TestGitNote checks that the operator is warned before opening a grant under which git
// will not do what the mode promises.
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
	linked := linkedWorktree(t, filepath.Join(top, "main"))
	cases := []struct {
		name      string
		workspace string
		ceiling   guard.Mode
		backend   sandbox.Backend
		want      string
	}{
		{"a repository", filepath.Dir(plain), guard.ModeRestricted, "", "Git:          works"},
		{"under Landlock", filepath.Dir(plain), guard.ModeRestricted, sandbox.Landlock, "not write to it under"},
		{"a part of one", plain, guard.ModeYolo, "", "the repository's top is"},
		{"a .git that names nothing", tree, guard.ModeRestricted, "", "will not work: lstat /x"},
		{"a linked worktree", linked, guard.ModeRestricted, "", "works: this is a linked worktree"},
		{"one under Landlock", linked, guard.ModeYolo, sandbox.Landlock, "cannot write to it under"},
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

// linkedWorktree returns a linked worktree of a repository, made without running git.
func linkedWorktree(t *testing.T, main string) string {
	t.Helper()
	common, ws := filepath.Join(main, ".git"), main+"-linked"
	own := filepath.Join(common, "worktrees", "w")
	for path, text := range map[string]string{
		filepath.Join(common, "HEAD"): "ref: refs/heads/main\n", filepath.Join(common, "config"): "\n",
		filepath.Join(common, "objects", "x"): "", filepath.Join(common, "refs", "x"): "",
		filepath.Join(own, "commondir"): "../..\n", filepath.Join(own, "gitdir"): filepath.Join(ws, ".git") + "\n",
		filepath.Join(ws, ".git"): "gitdir: " + own + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ws
}
