package commands_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/programtest"
	"example.org/bridge/internal/sandbox"
)

// hostGit runs git as the user would, outside any sandbox.
func hostGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return string(out)
}

// repositoryWithHooks returns a repository with one commit and a subfolder. Its hooks
// leave a mark in the parent folder.
func repositoryWithHooks(t *testing.T) (top, mark string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git")
	}
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	top, mark = filepath.Join(base, "app"), filepath.Join(base, "app", "in", "mark")
	if err := os.MkdirAll(filepath.Join(top, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "in", "a.txt"), []byte("one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	hostGit(t, top, "init", "-q", "-b", "main")
	hostGit(t, top, "config", "user.name", "a")
	hostGit(t, top, "config", "user.email", "a@example.invalid")
	hostGit(t, top, "add", ".")
	hostGit(t, top, "commit", "-qm", "first")
	for _, hook := range []string{"pre-commit", "post-commit", "post-index-change", "reference-transaction"} {
		path := filepath.Join(top, ".git", "hooks", hook)
		programtest.Write(t, path, []byte("#!/bin/sh\necho "+hook+" >>\""+mark+"\"\n"))
	}
	return top, mark
}

// inWorkspace opens a workspace in restricted mode.
func inWorkspace(t *testing.T, workspace string, b sandbox.Backend) (*commands.Service, bridge.Credentials) {
	t.Helper()
	env := bridgetest.NewEnv(t)
	core := env.Service(t)
	s := env.Commands(t, core)
	pair := bridgetest.NewPair(t, core)
	grant, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: pair.A.Conversation, Mode: "restricted", Workspace: workspace, Sandbox: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenGrant(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnableYolo(t.Context(), pair.A, commands.ModeRequest{Mode: "restricted"}); err != nil {
		t.Fatal(err)
	}
	return s, pair.A
}

// TestGitByPlace asks for git commands, approves them and runs them, in a repository,
// in a linked worktree, and in places where git cannot write or does not work at all.
func TestGitByPlace(t *testing.T) {
	for _, tt := range []struct {
		name          string
		backend       sandbox.Backend
		place         string // workspace: "" is the top, "linked" a worktree, "in" a subfolder of the repository
		reads, writes bool
	}{
		{"a repository", sandbox.Bubblewrap, "", true, true},
		{"a linked worktree", sandbox.Bubblewrap, "linked", true, true},
		{"a repository under Landlock", sandbox.Landlock, "", true, false},
		{"a linked worktree under Landlock", sandbox.Landlock, "linked", true, false},
		{"a folder of a repository", sandbox.Bubblewrap, "in", false, false},
		{"a folder of a repository under Landlock", sandbox.Landlock, "in", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			needBackend(t, tt.backend)
			top, mark := repositoryWithHooks(t)
			workspace := filepath.Join(top, tt.place)
			if tt.place == "linked" {
				workspace = top + "-linked"
				hostGit(t, top, "worktree", "add", "-q", "-b", "side", workspace)
			}
			_ = os.Remove(mark) // what ran when the host's own git was used
			gitByPlace(t, tt.backend, workspace, tt.reads, tt.writes)
			if text, err := os.ReadFile(mark); err == nil {
				t.Errorf("hooks were run: %s", text)
			}
			hostGit(t, top, "fsck", "--strict")
		})
	}
}

func gitByPlace(t *testing.T, b sandbox.Backend, workspace string, reads, writes bool) {
	t.Helper()
	s, agent := inWorkspace(t, workspace, b)
	changed := "in/a.txt"
	if _, err := os.Stat(filepath.Join(workspace, changed)); err != nil {
		changed = "a.txt"
	}
	if err := os.WriteFile(filepath.Join(workspace, changed), []byte("two\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := hostGit(t, workspace, "log", "--format=%s")
	works := func(command, want string) bool {
		t.Helper()
		askAndApprove(t, s, agent, command)
		x, err := s.Execute(t.Context(), agent, commands.Call{Command: command}, nil)
		if err != nil {
			t.Logf("%q: %v", command, err)
			return false
		}
		t.Logf("%q: %d %s%s", command, x.Outcome.ExitCode, x.Outcome.Stdout, x.Outcome.Stderr)
		return x.Outcome.ExitCode == 0 && strings.Contains(x.Outcome.Stdout, want)
	}
	if got := works("git status --short", changed) && works("git diff", "+two") && works("git log --format=%s", "first"); got != reads {
		t.Errorf("reading works: %v, want %v", got, reads)
	}
	if got := works("git add -A", "") && works("git commit -m second", ""); got != writes {
		t.Errorf("writing works: %v, want %v", got, writes)
	}
	want := before
	if writes {
		want = "second\n" + before
	}
	if got := hostGit(t, workspace, "log", "--format=%s"); got != want {
		t.Errorf("outside, the log is %q, want %q", got, want)
	}
}
