package sandbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/sandbox"
)

// linkedWorktree returns a linked worktree on a branch of its own, and the main
// worktree with the repository.
func linkedWorktree(t *testing.T) (ws, main string) {
	t.Helper()
	main = repository(t)
	ws = filepath.Join(main+"-linked", "tree")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(ws)) })
	git(t, main, "worktree", "add", "--quiet", "-b", "side", ws)
	return ws, main
}

// TestLinkedWorktree checks that git reads and writes in a linked worktree, and
// that the result is visible outside.
func TestLinkedWorktree(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws, main := linkedWorktree(t)
		before := tree(t, filepath.Join(main, ".git"))
		opts := sandbox.Options{Workspace: ws, Backend: b, Writable: true}
		res := run(t, bash(`echo two >in/file && git status --porcelain && git diff --stat && git log --format=%s && git add -A; git commit -qm second`), opts)
		if got := string(res.Stdout); !strings.HasPrefix(got, " M in/file\n in/file | ") || !strings.HasSuffix(got, "\nfirst\n") {
			t.Errorf("output %q, %s", got, res.Stderr)
		}
		if diff := cmp.Diff(before, tree(t, filepath.Join(main, ".git"))); diff != "" {
			t.Errorf("without leave to write: %s", diff)
		}
		if b == sandbox.Landlock {
			return // this run only reads
		}
		opts.GitWrite = true
		res = run(t, bash(`git add -A && git commit -qm second && git status --porcelain && git log --format=%s`), opts)
		if got, want := string(res.Stdout), "second\nfirst\n"; got != want || res.ExitCode != 0 || len(res.Stderr) > 0 {
			t.Errorf("status %d, output %q, %s", res.ExitCode, got, res.Stderr)
		}
		if got := git(t, main, "log", "--format=%s", "side") + git(t, ws, "status", "--porcelain") + git(t, main, "status", "--porcelain"); got != "second\nfirst\n" {
			t.Errorf("outside, git says %q", got)
		}
		git(t, main, "fsck", "--strict")
		for _, dir := range []string{filepath.Join(main, ".git"), filepath.Join(main, ".git", "worktrees", "tree")} {
			for _, name := range []string{"config.worktree", "modules"} {
				if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
					t.Errorf("the placeholder %s was left in %s", name, dir)
				}
			}
		}
	})
}

// TestLinkedWorktreeHolds checks that a linked worktree cannot be used to write
// files which git outside reads or runs, even by a command that may write to the
// repository.
func TestLinkedWorktreeHolds(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	common := []string{"hooks", "config", "config.worktree", "commondir", "modules", "info/attributes", "objects/info/alternates", "HEAD", "index"}
	own := []string{"commondir", "gitdir", "config.worktree", "config", "hooks", "modules"}
	ws, main := linkedWorktree(t)
	git(t, main, "worktree", "add", "--quiet", "-b", "other", filepath.Join(filepath.Dir(ws), "other"))
	write(t, filepath.Join(main, ".git", "info", "attributes"), "")
	write(t, filepath.Join(main, ".git", "objects", "info", "alternates"), "")
	dotGit := filepath.Join(main, ".git")
	var script strings.Builder
	attack := func(dir string, names []string) {
		for _, name := range names {
			path := filepath.Join(dir, name)
			fmt.Fprintf(&script, "echo x >>%[1]s; echo x >%[1]s/pre-commit; mv %[1]s in/x; rm -rf %[1]s; ln -sfn /tmp %[1]s; mkdir -p %[1]s\n", path)
		}
	}
	attack(dotGit, common)
	attack(filepath.Join(dotGit, "worktrees", "tree"), own)
	attack(filepath.Join(dotGit, "worktrees", "other"), append([]string{"HEAD", "index"}, own...))
	fmt.Fprintf(&script, "mv %[1]s/worktrees in/w; mv %[1]s in/g; git update-ref -d refs/bridge/snapshots/x/1; rm -rf %[1]s/refs/bridge\n", dotGit)
	script.WriteString("echo gitdir: /tmp >.git; rm -f .git; git config core.fsmonitor x; git worktree add in/more; git worktree prune; true\n")

	held := func() map[string]string {
		all := tree(t, dotGit)
		for path := range all {
			part := func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
			obeyed := slices.ContainsFunc(append([]string{"refs/bridge", "worktrees/other", "worktrees/tree/gitdir", "worktrees/tree/commondir"}, common...), part)
			if !obeyed {
				delete(all, path) // the command may change the files that git itself writes
			}
		}
		return all
	}
	before := held()
	run(t, bash(script.String()), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true, GitWrite: true})
	if diff := cmp.Diff(before, held()); diff != "" {
		t.Error(diff)
	}
	if got, want := read(t, filepath.Join(ws, ".git")), "gitdir: "+filepath.Join(dotGit, "worktrees", "tree")+"\n"; got != want {
		t.Errorf(".git is %q", got)
	}
}

// TestFindLinked checks that only a repository which names the workspace in turn
// is shown.
func TestFindLinked(t *testing.T) {
	ws, main := linkedWorktree(t)
	ownDir := filepath.Join(main, ".git", "worktrees", "tree")
	other := filepath.Join(filepath.Dir(ws), "copy")
	write(t, filepath.Join(other, ".git"), "gitdir: "+ownDir+"\n")
	found, err := sandbox.FindLinked(ws, nil)
	if want := (&sandbox.LinkedRepository{Common: filepath.Join(main, ".git"), Own: ownDir}); err != nil || found == nil || *found != *want {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := sandbox.FindLinked(main, nil); found != nil || err != nil {
		t.Errorf("the main worktree: %v, %v", found, err)
	}
	for _, c := range []struct {
		name, workspace, hidden string
		want                    string
	}{
		{"a copy of the .git file", other, "", "in turn"},
		{"the bridge's own below it", ws, filepath.Join(main, ".git", "bridge"), "contain one another"},
		{"below the bridge's own", ws, main, "contain one another"},
	} {
		hidden := []string{c.hidden}
		if c.hidden == "" {
			hidden = nil
		}
		if found, err := sandbox.FindLinked(c.workspace, hidden); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", c.name, found, err)
		}
	}
	for name, text := range map[string]string{
		"elsewhere": "gitdir: /etc\n", "nothing": "gitdir: \n", "no link": "hello\n", "two lines": "gitdir: " + ownDir + "\n/x\n",
	} {
		write(t, filepath.Join(other, ".git"), text)
		if found, err := sandbox.FindLinked(other, nil); err == nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}
