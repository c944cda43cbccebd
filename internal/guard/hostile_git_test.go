package guard_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/table"
)

// hostileSettings are git settings that each start a program which leaves a mark.
// %s is replaced by the program.
var hostileSettings = []string{
	"core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "core.gitProxy", "core.alternateRefsCommand",
	"diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
	"merge.evil.driver", "gpg.program", "gpg.ssh.program", "gpg.x509.program", "gpg.openpgp.program", "gpg.ssh.defaultKeyCommand",
	"credential.helper", "credential.https://example.invalid.helper", "pager.log", "pager.diff", "pager.show", "pager.status", "pager.branch", "pager.blame",
	"sequence.editor", "interactive.diffFilter", "remote.origin.uploadpack", "remote.origin.receivepack", "remote.origin.vcs",
	"trailer.x.command", "trailer.x.cmd", "uploadpack.packObjectsHook", "alias.status", "alias.log", "alias.st", "man.x.cmd", "submodule.sub.update",
}

var hostileSwitches = []string{
	"log.showSignature=true", "commit.gpgSign=true", "push.gpgSign=if-asked", "diff.submodule=diff", "submodule.recurse=true",
	"status.submoduleSummary=true", "pull.rebase=false", "protocol.ext.allow=always", "filter.evil.required=true", "gc.auto=1", "gc.autoDetach=false",
	"commit.verbose=true", "merge.verifySignatures=true", "format.pretty=%h %G?", "core.untrackedCache=true",
}

var hostileHooks = []string{
	"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-merge", "pre-push", "pre-rebase", "post-rewrite",
	"pre-auto-gc", "reference-transaction", "post-index-change", "pre-merge-commit", "fsmonitor-watchman", "update", "pre-receive", "post-receive", "post-update", "push-to-checkout",
}

// hostileRepository makes a repository whose configuration, attributes, hooks,
// submodule and remotes all try to run a program. It returns the file that this
// program writes.
func hostileRepository(t *testing.T) (ctx guard.Context, mark string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed, so no hostile repository can be tried")
	}
	home, err := filepath.EvalSymlinks(t.TempDir())
	mustDo(t, err)
	ws, mark := filepath.Join(home, "app"), filepath.Join(home, "mark")
	evil := filepath.Join(home, "evil.sh")
	mustDo(t, os.WriteFile(evil, fmt.Appendf(nil, "#!/bin/sh\necho \"$0 $*\" >> %s\nexit 0\n", mark), 0o600))
	mustDo(t, os.Chmod(evil, 0o755))
	sub := filepath.Join(home, "subsource")
	for _, dir := range []string{ws, sub} {
		runGit(t, home, "init", "-q", "-b", "main", dir)
		mustDo(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("one\n"), 0o600))
		runGit(t, dir, "add", ".")
		runGit(t, dir, "commit", "-qm", "first")
	}
	bare := filepath.Join(home, "bare.git")
	runGit(t, home, "clone", "-q", "--bare", ws, bare)
	runGit(t, ws, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub, "sub")
	mustDo(t, os.WriteFile(filepath.Join(ws, ".gitattributes"), []byte("* diff=evil filter=evil merge=evil\n"), 0o600))
	runGit(t, ws, "add", ".")
	runGit(t, ws, "commit", "-qm", "second")
	runGit(t, ws, "branch", "other")
	runGit(t, ws, "checkout", "-q", "-b", "apart", "HEAD~1")
	mustDo(t, os.WriteFile(filepath.Join(ws, "c.txt"), []byte("three\n"), 0o600))
	runGit(t, ws, "add", "c.txt")
	runGit(t, ws, "commit", "-qm", "third")
	runGit(t, ws, "checkout", "-q", "main")
	runGit(t, ws, "remote", "add", "origin", bare)
	runGit(t, ws, "remote", "add", "ext", "ext::"+evil)
	runGit(t, ws, "branch", "-q", "extra")
	gitDirs := []string{filepath.Join(ws, ".git"), filepath.Join(ws, ".git", "modules", "sub"), bare}
	for _, dir := range gitDirs {
		for _, hook := range hostileHooks {
			target := filepath.Join(dir, "hooks", hook)
			mustDo(t, os.MkdirAll(filepath.Dir(target), 0o755))
			_ = os.Remove(target)
			mustDo(t, os.Symlink(evil, target))
		}
		for _, setting := range hostileSettings {
			if dir == bare && strings.HasPrefix(setting, "remote.") {
				continue
			}
			runGit(t, dir, "config", setting, evilValue(setting, evil))
		}
		for _, setting := range hostileSwitches {
			name, value, _ := strings.Cut(setting, "=")
			runGit(t, dir, "config", name, value)
		}
		mustDo(t, os.MkdirAll(filepath.Join(dir, "info"), 0o755))
		mustDo(t, os.WriteFile(filepath.Join(dir, "info", "attributes"), []byte("* diff=evil filter=evil merge=evil\n"), 0o600))
	}
	included := filepath.Join(ws, "included.config")
	mustDo(t, os.WriteFile(included, fmt.Appendf(nil, "[filter \"more\"]\n\tclean = %s\n[diff \"more\"]\n\ttextconv = %s\n", evil, evil), 0o600))
	runGit(t, ws, "config", "include.path", included)
	runGit(t, ws, "config", "rebase.instructionFormat", "%s%nexec "+evil+"%n# ")
	for _, name := range []string{"a.txt", filepath.Join("sub", "a.txt")} {
		mustDo(t, os.WriteFile(filepath.Join(ws, name), []byte("two\n"), 0o600))
	}
	_ = os.Remove(mark)
	return guard.Context{Workspace: ws, Home: home, ReadRoots: []string{}}, mark
}

func evilValue(setting, evil string) string {
	if strings.HasPrefix(setting, "alias.") || strings.HasPrefix(setting, "submodule.") {
		return "!" + evil
	}
	return evil
}

func gitEnvironment(home string) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LANG=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid",
	}
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = gitEnvironment(t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return string(out)
}

// TestHostileRepository checks that no allowed git command runs a program of the
// repository's once the overrides for the configured names have been added.
func TestHostileRepository(t *testing.T) {
	ctx, mark := hostileRepository(t)
	keys := strings.Split(runGit(t, ctx.Workspace, "config", "--list", "--name-only", "-z", "--includes"), "\x00")
	overrides, err := table.GitOverrides(keys)
	mustDo(t, err)
	commands := []string{
		"git status", "git status --short --branch", "git --no-pager status", "git diff", "git diff HEAD", "git diff --stat main", "git diff --cached",
		"git log", "git log -p -3", "git log --oneline --graph --all", "git log --format='%h %an' -2", "git log -- a.txt", "git show", "git show HEAD:a.txt", "git show --stat HEAD~1",
		"git blame a.txt", "git branch", "git branch -avv", "git branch new", "git branch -d new", "git add a.txt", "git add -A", "git add --all sub",
		"git commit -m one", "git commit -am two", "git commit --amend --no-edit", "git commit --allow-empty -m three", "git checkout other", "git checkout main",
		"git checkout -b more", "git checkout -- a.txt", "git checkout HEAD~1 -- a.txt", "git checkout main -- a.txt", "git pull origin main", "git pull --rebase origin main", "git pull",
		"git push origin main", "git push --tags", "git push -u origin main", "git push ext main", "git pull ext main", "git branch --merged", "git branch --contains HEAD",
		"git stash push", "git stash list", "git cherry-pick apart", "git rebase main", "git revert --no-edit HEAD", "git rebase apart", "git merge other", "git rm a.txt",
		"git cat-file -p HEAD:a.txt", "git grep -n x", "git reflog",
	}
	for _, command := range commands {
		got := policy.Decide(guard.ModeRestricted, command, ctx)
		if !got.Allow {
			t.Errorf("%q is refused: %s", command, got.Reason)
			continue
		}
		stage := table.AddGitOverrides(got.Plan.Steps[0].Stages[0], overrides)
		cmd := exec.CommandContext(t.Context(), stage.Argv[0], stage.Argv[1:]...)
		cmd.Dir = ctx.Workspace
		cmd.Env = gitEnvironment(ctx.Home)
		out, runErr := cmd.CombinedOutput() // some commands fail, which is fine: only the mark counts
		if text, err := os.ReadFile(mark); err == nil {
			t.Errorf("%q ran a program of the repository: %s\ngit says: %.300s %v", command, text, out, runErr)
			mustDo(t, os.Remove(mark))
		}
		if strings.Contains(string(out), "unknown option") || strings.Contains(string(out), "bad config") || strings.Contains(string(out), "invalid") {
			t.Errorf("%q: git does not take what the bridge built: %.300s", command, out)
		}
		remote := strings.HasPrefix(command, "git pull") || strings.HasPrefix(command, "git push")
		if runErr != nil && !remote && !strings.Contains(string(out), "nothing to commit") {
			t.Errorf("%q no longer works: %v: %.300s", command, runErr, out)
		}
	}
}

// TestHostileRepositoryCanHarm checks that the test above can fail: without the
// overrides git runs the repository's programs.
func TestHostileRepositoryCanHarm(t *testing.T) {
	ctx, mark := hostileRepository(t)
	cmd := exec.CommandContext(t.Context(), "git", "status")
	cmd.Dir, cmd.Env = ctx.Workspace, gitEnvironment(ctx.Home)
	_, _ = cmd.CombinedOutput()
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the hostile repository did nothing to plain git: %v", err)
	}
}

func TestGitOverridesRefuseWhatTheyCannotSwitchOff(t *testing.T) {
	if _, err := table.GitOverrides([]string{"filter.a=b.clean"}); err == nil {
		t.Error("a filter whose name holds = is accepted: -c cannot name it")
	}
	if _, err := table.GitOverrides([]string{"core.workTree"}); err == nil {
		t.Error("a work tree elsewhere is accepted")
	}
	words, err := table.GitOverrides([]string{"user.name", "core.editor", "FILTER.x.y.clean", "pager.log", ""})
	if err != nil || !strings.Contains(strings.Join(words, " "), "-c FILTER.x.y.clean= ") || !strings.Contains(strings.Join(words, " "), "pager.log=false") {
		t.Errorf("%q, %v", words, err)
	}
}
