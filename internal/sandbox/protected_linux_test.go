package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// repository returns a workspace with a git repository and a commit.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git is not installed")
	}
	ws := t.TempDir()
	write(t, filepath.Join(ws, "in", "file"), "one\n")
	git(t, ws, "init", "--quiet", "--initial-branch=main")
	git(t, ws, "config", "user.name", "Test")
	git(t, ws, "config", "user.email", "test@example.org")
	git(t, ws, "add", ".")
	git(t, ws, "commit", "--quiet", "--message=first")
	git(t, ws, "update-ref", "refs/bridge/snapshots/x/1", "HEAD")
	return ws
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return string(out)
}

// tree returns every path below dir, with the contents of the files, except git's
// objects.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[rel] = d.Type().String()
		if d.Type().IsRegular() && !strings.Contains(rel, "objects/") {
			all[rel] = read(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestProtectedPaths checks that none of these scripts leaves anything behind
// that runs later.
func TestProtectedPaths(t *testing.T) {
	racetest.Skip(t)
	const hook = `printf '#!/bin/sh\necho owned\n' >%s; chmod +x %[1]s`
	tricks := []struct{ name, script string }{
		{"a hook", fmt.Sprintf(hook, ".git/hooks/pre-commit")},
		{"a sample", "echo owned >.git/hooks/pre-commit.sample"},
		{"configuration", "git config core.fsmonitor 'touch owned'; echo '[alias] x = !id' >>.git/config; mv in/file .git/config"},
		{"moving hooks", "mv .git/hooks in/x; mkdir .git/hooks; " + fmt.Sprintf(hook, ".git/hooks/pre-commit")},
		{"moving .git", "mv .git in/x; mkdir -p .git/hooks; " + fmt.Sprintf(hook, ".git/hooks/pre-commit")},
		{"swapping .git", "mv -T --exchange .git in; cp -r .git in/copy && mv -T in/copy .git"},
		{"removing .git", "rm -rf .git/hooks .git/config"},
		{"commondir", "mkdir -p in/evil; echo ../in/evil >.git/commondir"},
		{"config.worktree", "echo '[core] fsmonitor = touch owned' >.git/config.worktree"},
		{"a submodule's hooks", "mkdir -p .git/modules/x/hooks && " + fmt.Sprintf(hook, ".git/modules/x/hooks/pre-commit")},
		{"a worktree", "mkdir -p .git/worktrees/x && echo owned >.git/worktrees/x/commondir"},
		{"a link over it", "ln -sfn /tmp .git/hooks; ln -sf /tmp/x .git/config; rm .envrc; ln -sf in/file .envrc"},
		{"agents", "mkdir .claude; echo x >.claude/settings.json; echo x >.mcp.json; echo x >.codex/x; echo x >.gemini/x; echo x >.cursor/x"},
		{"moved agents", "mkdir in/c && echo x >in/c/settings.json; rmdir .claude; mv in/c .claude; mv -T in/c .claude; mv .vscode in/v"},
		{"editors", "echo x >.vscode/tasks.json; echo x >.idea/workspace.xml; echo x >.envrc"},
		{"submodules", "echo '[submodule \"x\"]' >.gitmodules; git submodule add /tmp/x in/x"},
		{"the existing", "echo x >>.bashrc; rm -f .bashrc; mv .bashrc in/b"},
		{"snapshots", "git update-ref -d refs/bridge/snapshots/x/1; rm -rf .git/refs/bridge; mv .git/refs/bridge in/b"},
		{"a remount", "mount -o remount,rw .git/hooks; umount .git/hooks; unshare -Ur umount .git/hooks"},
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, trick := range tricks {
			t.Run(trick.name, func(t *testing.T) {
				ws := repository(t)
				write(t, filepath.Join(ws, ".bashrc"), "# mine\n")
				before := tree(t, ws)
				run(t, bash(trick.script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, GitWrite: true})
				after := tree(t, ws)
				for path := range after {
					if strings.HasPrefix(path, "in/") {
						delete(after, path)
					}
				}
				delete(before, "in/file")
				if diff := cmp.Diff(before, after); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// TestGitWorks checks that unprotected names can be used, and that git does not
// show the placeholders.
func TestGitWorks(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := repository(t)
	write(t, filepath.Join(ws, "in", "new"), "two\n")
	res := run(t, bash(`git add -A && git commit -qm second && git checkout -qb other && git status --porcelain && git log --format=%s`),
		sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true, GitWrite: true})
	if got, want := string(res.Stdout), "second\nfirst\n"; got != want || res.ExitCode != 0 || len(res.Stderr) > 0 {
		t.Errorf("status %d, output %q, %s", res.ExitCode, got, res.Stderr)
	}
	if got := git(t, ws, "status", "--porcelain") + git(t, ws, "ls-files"); got != "in/file\nin/new\n" {
		t.Errorf("outside, git says %q", got)
	}
	git(t, ws, "fsck", "--strict")
}

// TestProtectedSymlink checks that nothing runs if a protected name is a link,
// which cannot be held.
func TestProtectedSymlink(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := t.TempDir()
	if err := os.Symlink("elsewhere", filepath.Join(ws, ".Claude")); err != nil {
		t.Fatal(err)
	}
	_, err := sandbox.Run(t.Context(), bash("touch ran"), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true, GitWrite: true})
	if !errors.Is(err, sandbox.ErrSetup) || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{".Claude"}, names(t, ws)); diff != "" {
		t.Error(diff)
	}
}

// TestWritableRunsTakeTurns checks that a second run waits, so that it does not
// take the first run's placeholders for the user's own files.
func TestWritableRunsTakeTurns(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := t.TempDir()
	errs := make(chan error)
	const runs = 4
	for range runs {
		go func() {
			_, err := sandbox.Run(t.Context(), bash("mkdir busy && rmdir busy"),
				sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true, GitWrite: true})
			errs <- err
		}()
	}
	for range runs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := names(t, ws); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}
