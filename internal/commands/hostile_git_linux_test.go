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
)

// hostileSettings are settings whose value is a program that git runs.
var hostileSettings = []string{
	"core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "core.alternateRefsCommand",
	"diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
	"merge.evil.driver", "gpg.program", "gpg.ssh.program", "credential.helper", "pager.log", "pager.diff", "pager.show", "pager.status",
	"pager.branch", "pager.blame", "sequence.editor", "interactive.diffFilter", "remote.origin.uploadpack", "remote.origin.receivepack",
	"trailer.x.command", "uploadpack.packObjectsHook", "alias.status", "alias.log", "alias.diff",
}

var hostileHooks = []string{
	"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-merge", "pre-push", "pre-rebase",
	"post-rewrite", "pre-auto-gc", "reference-transaction", "post-index-change", "pre-merge-commit", "fsmonitor-watchman",
}

// allowedGit lists each subcommand that restricted mode allows, in its various forms.
var allowedGit = []string{
	"git status", "git status --short --branch", "git --no-pager status", "git diff", "git diff HEAD", "git diff --stat main", "git diff --cached",
	"git log", "git log -p -3", "git log --oneline --graph --all", "git log --format='%h %an' -2", "git log -- a.txt",
	"git show", "git show HEAD:a.txt", "git show --stat HEAD", "git blame a.txt", "git branch", "git branch -avv", "git branch new", "git branch -d new",
	"git add a.txt", "git add -A", "git commit -m one", "git commit --amend --no-edit", "git commit --allow-empty -m two",
	"git checkout other", "git checkout main", "git checkout -b more", "git checkout HEAD -- a.txt",
	"git pull origin main", "git push origin main", "git branch --merged",
}

// hostileRepository makes a repository whose hooks, filters and settings all run
// evil.sh, which leaves a mark in the workspace.
func hostileRepository(t *testing.T) (workspace, mark string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git")
	}
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	workspace, mark = filepath.Join(base, "app"), filepath.Join(base, "app", "mark")
	evil := filepath.Join(workspace, "evil.sh")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = workspace
		cmd.Env = append(os.Environ(), "HOME="+base, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@x")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(workspace, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/bin/sh\necho \"$0 $*\" >> " + mark + "\n"
	put("a.txt", "one\n", 0o644)
	put("evil.sh", script, 0o755)
	// The included file is read-only to commands, so a checkout could not remove it.
	put(".gitignore", "mark\nincluded.config\n", 0o644)
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-qm", "first")
	git("branch", "other")
	git("config", "user.name", "a")
	git("config", "user.email", "a@example.invalid")
	git("remote", "add", "origin", "https://example.invalid/x.git")
	put(".gitattributes", "* diff=evil filter=evil merge=evil\n", 0o644)
	put("included.config", "[filter \"more\"]\n\tclean = "+evil+"\n", 0o644)
	git("config", "include.path", filepath.Join(workspace, "included.config"))
	for _, setting := range hostileSettings {
		value := evil
		if strings.HasPrefix(setting, "alias.") {
			value = "!" + evil
		}
		git("config", setting, value)
	}
	for _, setting := range []string{"log.showSignature=true", "commit.gpgSign=true", "filter.evil.required=true", "submodule.recurse=true", "format.pretty=%h %G?"} {
		name, value, _ := strings.Cut(setting, "=")
		git("config", name, value)
	}
	for _, hook := range hostileHooks {
		put(".git/hooks/"+hook, script, 0o755)
	}
	put(".git/info/attributes", "* diff=evil filter=evil\n", 0o644)
	put("a.txt", "two\n", 0o644)
	_ = os.Remove(mark)
	return workspace, mark
}

// TestHostileRepository asks for every allowed git command in such a repository,
// approves it and runs it with snapshot, overrides and sandbox.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	needSandbox(t)
	workspace, mark := hostileRepository(t)
	env := bridgetest.NewEnv(t)
	core := env.Service(t)
	s := env.Commands(t, core)
	pair := bridgetest.NewPair(t, core)
	grant, err := s.PrepareGrant(t.Context(), commands.GrantRequest{Conversation: pair.A.Conversation, Mode: "restricted", Workspace: workspace})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenGrant(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnableYolo(t.Context(), pair.A, commands.ModeRequest{Mode: "restricted"}); err != nil {
		t.Fatal(err)
	}
	for _, command := range allowedGit {
		o := approveAndRun(t, s, pair.A, command)
		if text, err := os.ReadFile(mark); err == nil {
			t.Errorf("%q ran a program of the repository: %s\n%+v", command, text, o)
			_ = os.Remove(mark)
		}
		remote := strings.HasPrefix(command, "git pull") || strings.HasPrefix(command, "git push") // without network
		if o.Problem != "" || o.Snapshot.N == 0 || o.ExitCode != 0 && !remote {
			t.Errorf("%q does not work: %+v", command, o)
		}
	}
}

// askAndApprove requests a command and approves it.
func askAndApprove(t *testing.T, s *commands.Service, c bridge.Credentials, command string) {
	t.Helper()
	x, err := s.Execute(t.Context(), c, commands.Call{Command: command}, nil)
	if err != nil {
		t.Fatalf("%q: %v", command, err)
	}
	request, err := s.Command(t.Context(), x.Request.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Approve(t.Context(), commands.ApproveRequest{Request: request}); err != nil {
		t.Fatalf("%q: %v", command, err)
	}
}

// approveAndRun requests a command, approves it and runs it.
func approveAndRun(t *testing.T, s *commands.Service, c bridge.Credentials, command string) commands.Outcome {
	t.Helper()
	askAndApprove(t, s, c, command)
	x, err := s.Execute(t.Context(), c, commands.Call{Command: command}, nil)
	if err != nil {
		t.Fatalf("%q: %v", command, err)
	}
	if x.Stage != commands.StageDone {
		t.Fatalf("%q was not run: %s", command, x.Stage)
	}
	return x.Outcome
}
