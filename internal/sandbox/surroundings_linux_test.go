package sandbox_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// escapes selects the tests of files that are written in the box and that
// programs outside would run or obey. They must pass whether the bridge runs as
// root or as an ordinary user.
const escapes = "^(TestHelpersAreNotFoundThroughPath|TestProtectedFolderIsNoWorkspace|TestProtectedAtEveryDepth|" +
	"TestPlantedRepositories|TestPlantedOutOfSight|TestProtectedPaths|TestGitIsReadOnly|TestEnvFilesAreCovered|TestStalePlaceholders|TestLinkedWorktree|TestLinkedWorktreeHolds|TestConfiguredProgramsAreHeld|TestAbsentHooksFolder|TestProtectedTricks)$"

// TestEscapesAsOrdinaryUser runs the escapes again as nobody if the tests
// themselves run as root.
func TestEscapesAsOrdinaryUser(t *testing.T) {
	racetest.Skip(t)
	if os.Geteuid() != 0 {
		t.Skip("MISSING: the tests do not run as root, so that they are the ordinary user's already")
	}
	dir, self := userCopy(t)
	cmd := exec.Command(self, "-test.run="+escapes, "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	asNobody(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "\n--- PASS"); n < 11 {
		t.Errorf("only %d tests ran as nobody:\n%s", n, out)
	}
}

// hostGit runs git in a folder, as a person outside the box would. It returns
// what a program of the repository's choosing wrote to mark, or "" if none ran.
func hostGit(t *testing.T, dir, mark string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	_, _ = cmd.CombinedOutput() // "not a git repository" is a fine answer
	data, err := os.ReadFile(mark)
	if err != nil {
		return ""
	}
	return string(data)
}

// bareScript plants a repository in the current folder whose fsmonitor leaves a
// mark.
func bareScript(mark string) string {
	return `mkdir -p objects refs; echo "ref: refs/heads/main" >HEAD
		printf '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = "echo owned >` + mark + `; false"\n' >config`
}

func TestPlantedRepositories(t *testing.T) {
	racetest.Skip(t)
	plants := []struct {
		name   string
		script func(mark string) string
		where  string // the folder in which git is run outside
		repo   bool   // whether the workspace is a repository before the command
		top    bool   // whether the box itself prevents the plant
	}{
		{name: "a bare one at the top", script: bareScript, where: ".", top: true},
		{name: "the top's own is broken", repo: true, where: ".", script: func(mark string) string {
			return "rm -rf .git/HEAD .git/refs; " + bareScript(mark)
		}},
		{name: "one deeper down", repo: true, where: "in/deep", script: func(mark string) string {
			return "mkdir -p in/deep; cd in/deep; " + bareScript(mark)
		}},
		{name: "with objects elsewhere", where: "in", script: func(mark string) string {
			return "cd in; mkdir -p x; (cd x; " + bareScript(mark) + "); cp x/HEAD x/config .; echo x >commondir"
		}},
		{name: "an embedded one as a gitlink", repo: true, where: ".", script: func(mark string) string {
			return `mkdir -p in/sub; cd in/sub; git init -q .; git -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m x
				cd ../..; git add in/sub; git -C in/sub config core.fsmonitor "echo owned >` + mark + `; false"`
		}},
		{name: "a .git file", repo: true, where: "in/sub", script: func(mark string) string {
			return "mkdir -p in/sub in/x; (cd in/x; " + bareScript(mark) + "); echo 'gitdir: ../x' >in/sub/.git"
		}},
		{name: "in other letters", where: "in/sub", script: func(mark string) string {
			return "mkdir -p in/sub/.GIT; cd in/sub/.GIT; " + bareScript(mark)
		}},
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, plant := range plants {
			for _, gitWrite := range []bool{false, true} {
				name := plant.name
				if gitWrite {
					name += ", writing to the repository"
				}
				t.Run(name, func(t *testing.T) {
					ws := t.TempDir()
					if plant.repo {
						ws = repository(t)
					}
					write(t, filepath.Join(ws, "in", "keep"), "")
					mark := filepath.Join(outside(t), "mark")
					res := run(t, bash(plant.script(mark)), sandbox.Options{Workspace: ws, Backend: b, Writable: true, GitWrite: gitWrite})
					for _, args := range [][]string{{"status"}, {"status", "--porcelain"}, {"diff"}} {
						if got := hostGit(t, filepath.Join(ws, plant.where), mark, args...); got != "" {
							t.Fatalf("git %v outside ran what the command planted; said %q, %s", args, res.Held, res.Stderr)
						}
					}
					if _, err := os.Stat(filepath.Join(ws, plant.where, "HEAD")); err == nil {
						t.Errorf("HEAD is still there; said %q", res.Held)
					}
					t.Logf("said %q", res.Held)
				})
			}
		}
	})
}

// TestPlantedIsSaid checks that files which were put aside are reported, and
// kept.
func TestPlantedIsSaid(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := repository(t)
	script := "mkdir -p in/a/.vscode in/b; echo x >in/a/.vscode/tasks.json; cd in/b && git init -q ."
	res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true})
	want := []string{
		"in/a/.vscode is new (tasks of an editor) and was renamed to .vscode.held-by-bridge",
		"in/b/.git is new (a repository's configuration and hooks run programs) and was renamed to .git.held-by-bridge",
	}
	if diff := cmp.Diff(want, res.Held); diff != "" {
		t.Error(diff)
	}
	if got := read(t, filepath.Join(ws, "in/a/.vscode.held-by-bridge/tasks.json")); got != "x\n" {
		t.Errorf("it is now %q", got)
	}
	// The file of the next command gets another name.
	res = run(t, bash("mkdir -p in/a/.vscode"), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true})
	if len(res.Held) != 1 || !strings.HasSuffix(res.Held[0], ".vscode.held-by-bridge-1") {
		t.Errorf("said %q", res.Held)
	}
}

// TestProtectedAtEveryDepth checks that existing protected files stay unchanged,
// and that new files do not keep a protected name.
func TestProtectedAtEveryDepth(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := repository(t)
		files := map[string]string{
			"in/.vscode/tasks.json": "mine", "in/deep/er/.envrc": "mine", "in/deep/.Claude/settings.json": "mine",
			"in/deep/plain": "plain", "in/nested/.git/config": "[core]\n", "in/nested/file": "x",
		}
		for name, text := range files {
			write(t, filepath.Join(ws, name), text)
		}
		script := `for f in in/.vscode/tasks.json in/deep/er/.envrc in/deep/.Claude/settings.json in/nested/.git/config; do echo owned >$f; rm -f $f; done
			echo changed >in/deep/plain; echo new >in/deep/er/new
			echo owned >in/.vscode/settings.json; rm -rf in/nested/.git; mv in/.vscode in/v
			mkdir -p in/other/.vscode in/other/.git/hooks; echo owned >in/other/.envrc; echo owned >in/.mcp.json; ln -s /tmp in/.idea
			mv in/deep/er in/moved; mkdir -p in/deep/er; echo owned >in/deep/er/.envrc`
		res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true})
		for _, name := range []string{"in/.vscode/tasks.json", "in/deep/.Claude/settings.json", "in/nested/.git/config"} {
			if got := read(t, filepath.Join(ws, name)); got != files[name] {
				t.Errorf("%s is %q", name, got)
			}
		}
		if got := read(t, filepath.Join(ws, "in/deep/plain")); b == sandbox.Bubblewrap && got != "changed\n" {
			t.Errorf("a plain file is %q", got)
		}
		for _, name := range []string{"in/.vscode/settings.json", "in/other/.vscode", "in/other/.git", "in/other/.envrc", "in/.mcp.json", "in/.idea", "in/v"} {
			if _, err := os.Lstat(filepath.Join(ws, name)); err == nil {
				t.Errorf("%s was made", name)
			}
		}
		if got, err := os.ReadFile(filepath.Join(ws, "in/deep/er/.envrc")); err == nil && string(got) != "mine" {
			t.Errorf("the moved folder's place has %q", got)
		}
		t.Logf("said %q; %s", res.Held, res.Stderr)
	})
}

// TestProtectedFolderIsNoWorkspace checks that a protected folder is refused as a
// workspace: in it, a command could write what is protected.
func TestProtectedFolderIsNoWorkspace(t *testing.T) {
	ws := repository(t)
	write(t, filepath.Join(ws, "in", ".vscode", "deeper", "x"), "")
	write(t, filepath.Join(ws, ".CLAUDE", "x"), "")
	bare := filepath.Join(ws, "in", "bare")
	git(t, ws, "init", "--quiet", "--bare", bare)
	program := t.TempDir()
	for _, dir := range []string{".git", ".git/hooks", ".git/refs/heads", ".CLAUDE", "in/.vscode", "in/.vscode/deeper", "in/bare"} {
		for _, b := range append(bounding, "") {
			_, err := sandbox.Run(t.Context(), bash("touch owned"), sandbox.Options{Workspace: filepath.Join(ws, dir), Backend: b, Writable: true})
			if !errors.Is(err, sandbox.ErrWorkspace) {
				t.Errorf("%s as a workspace with backend %q: %v", dir, b, err)
			}
		}
	}
	link := filepath.Join(program, "link")
	if err := os.Symlink(filepath.Join(ws, ".git", "hooks"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.Run(t.Context(), bash("touch owned"), sandbox.Options{Workspace: link, Writable: true}); !errors.Is(err, sandbox.ErrWorkspace) {
		t.Errorf("through a link: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = sandbox.Run(t.Context(), bash("touch owned"), sandbox.Options{Workspace: filepath.Dir(self), Writable: true})
	if !errors.Is(err, sandbox.ErrWorkspace) || !strings.Contains(err.Error(), "own program") {
		t.Errorf("the folder of the program itself: %v", err)
	}
}

// TestGitIsReadOnly checks that without git write access nothing in .git changes,
// and that reading it works.
func TestGitIsReadOnly(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := repository(t)
		before := tree(t, filepath.Join(ws, ".git"))
		res := run(t, bash(`git status --porcelain; git log --format=%s; echo x >in/file
			git add -A; git commit -qm second; rm -rf .git/objects .git/HEAD; echo x >.git/index; mkdir .git/rebase-merge
			ln -sfn /tmp .git/refs; mkfifo .git/index.lock; true`),
			sandbox.Options{Workspace: ws, Backend: b, Writable: true})
		if got := string(res.Stdout); got != "first\n" {
			t.Errorf("output %q, %s", got, res.Stderr)
		}
		if diff := cmp.Diff(before, tree(t, filepath.Join(ws, ".git"))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEnvFilesAreCovered(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, writable := range []bool{false, true} {
			ws := t.TempDir()
			secrets := []string{".env", ".env.local", "in/.env", "in/deep/.ENV.production", "target"}
			for _, name := range secrets {
				write(t, filepath.Join(ws, name), "secret\n")
			}
			write(t, filepath.Join(ws, ".env.example"), "example\n")
			write(t, filepath.Join(ws, "in/plain"), "plain\n")
			if err := os.Symlink("../target", filepath.Join(ws, "in", ".env.link")); err != nil {
				t.Fatal(err)
			}
			script := `cat .env .env.local in/.env in/deep/.ENV.production in/.env.link target; cp .env in/copy; cat in/copy
				echo new >.env; rm -f .env; mv .env in/moved; ln .env in/hard; cat in/moved in/hard; cat .env.example in/plain`
			opts := sandbox.Options{Workspace: ws, Backend: b, Writable: writable}
			if res := run(t, bash(script), opts); string(res.Stdout) != "example\nplain\n" {
				t.Errorf("writable %v: output %q", writable, res.Stdout)
			}
			for _, name := range secrets {
				if got := read(t, filepath.Join(ws, name)); got != "secret\n" {
					t.Errorf("writable %v: %s is now %q", writable, name, got)
				}
			}
			opts.EnvFiles = true
			if res := run(t, bash("cat .env in/.env"), opts); string(res.Stdout) != "secret\nsecret\n" {
				t.Errorf("with the operator's leave: output %q, %s", res.Stdout, res.Stderr)
			}
		}
	})
}

// TestStalePlaceholders checks that the next run removes what a killed supervisor
// left behind, but not the user's own folders.
func TestStalePlaceholders(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := t.TempDir()
	if err := os.Mkdir(filepath.Join(ws, ".cursor"), 0o755); err != nil {
		t.Fatal(err)
	}
	fifo := lifeline(t, ws)
	server := exec.Command("/proc/self/exe", "attack", "serve", ws, string(sandbox.Bubblewrap), "exec 3>in/lifeline; echo up >&3; while :; do sleep 1000; done")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, f)
	if line := readLine(f); line != "up" {
		t.Errorf("read %q", line)
	}
	if got := names(t, ws); len(got) < 5 {
		t.Errorf("held are only %q", got)
	}
	killChildren(t, server.Process.Pid)
	awaitEnd(t, f)
	_ = server.Process.Kill()
	_ = server.Wait()
	if got := names(t, ws); len(got) < 5 {
		t.Errorf("the supervisor removed its placeholders although it was killed: %q", got)
	}
	run(t, bash("true"), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true})
	if diff := cmp.Diff([]string{".cursor", "in"}, names(t, ws)); diff != "" {
		t.Error(diff)
	}
}

// TestKilledSandbox checks that a command whose box was killed does not count as
// successful.
func TestKilledSandbox(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	ws := t.TempDir()
	fifo := lifeline(t, ws)
	type answer struct {
		res sandbox.Result
		err error
	}
	done := make(chan answer, 1)
	go func() {
		res, err := sandbox.Run(t.Context(), bash("exec 3>in/lifeline; echo up >&3; while :; do sleep 1000; done"),
			sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true, Timeout: time.Minute})
		done <- answer{res, err}
	}()
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, f)
	_ = readLine(f)
	killChildren(t, os.Getpid())
	a := <-done
	if !errors.Is(a.err, sandbox.ErrKilled) || a.res.ExitCode != 137 {
		t.Errorf("status %d, %v", a.res.ExitCode, a.err)
	}
}
