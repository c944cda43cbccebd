package guard_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"github.com/google/go-cmp/cmp"
)

// project makes a real home folder with a workspace, secrets next to it, and
// links that lead out of the workspace.
func project(t *testing.T) guard.Context {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ws := filepath.Join(home, "work", "app")
	for _, dir := range []string{"src", "-dir", ".vscode", "evil/.git"} {
		mustDo(t, os.MkdirAll(filepath.Join(ws, dir), 0o755))
	}
	for _, dir := range []string{".ssh", "other", "state"} {
		mustDo(t, os.MkdirAll(filepath.Join(home, dir), 0o755))
	}
	for _, file := range []string{"a.txt", "b.txt", "-rf", "src/x.go", ".hidden", "evil/HEAD", "with space.txt", "+5"} {
		mustDo(t, os.WriteFile(filepath.Join(ws, file), nil, 0o600))
	}
	mustDo(t, os.WriteFile(filepath.Join(home, ".ssh", "id_rsa"), nil, 0o600))
	links := map[string]string{
		"out": "../../other", "key": "../../.ssh/id_rsa", "in": "src", "up": "..", "abs": home, "loop": "loop", "root": "/",
		"code.py": "../../other/x.py", "sneaky.txt": "../../.ssh/id_rsa",
	}
	for name, target := range links {
		mustDo(t, os.Symlink(target, filepath.Join(ws, name)))
	}
	return guard.Context{Workspace: ws, Home: home, StateDirs: []string{filepath.Join(home, "state")}, ReadRoots: []string{}}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLinks(t *testing.T) {
	ctx := project(t)
	tests := map[string]struct {
		mode    guard.Mode
		command string
		allow   bool
	}{
		"link inside":             {guard.ModeSafe, "cat in/x.go", true},
		"link to a secret":        {guard.ModeSafe, "cat key", false},
		"link out":                {guard.ModeSafe, "ls out", false},
		"link to the parent":      {guard.ModeSafe, "ls up", false},
		"link then up":            {guard.ModeSafe, "cat in/../a.txt", true},
		"out by up":               {guard.ModeSafe, "cat out/../.ssh/id_rsa", false},
		"absolute link":           {guard.ModeSafe, "ls abs/.ssh", false},
		"endless link":            {guard.ModeSafe, "cat loop", false},
		"link to the root":        {guard.ModeSafe, "cat root/etc/passwd", false},
		"glob reaches a secret":   {guard.ModeSafe, "cat *.txt", false},
		"glob without":            {guard.ModeSafe, "cat src/*.go", true},
		"script that leads out":   {guard.ModeRestricted, "python code.py", false},
		"a folder as remote":      {guard.ModeRestricted, "git push evil main", false},
		"diff of a link":          {guard.ModeRestricted, "git diff key a.txt", false},
		"state is secret":         {guard.ModeYolo, "cat ../../state/bridge.db", false},
		"state in any case":       {guard.ModeYolo, "cat ../../STATE/x", false},
		"remove through a link":   {guard.ModeYolo, "rm -rf abs/", false},
		"remove the root by link": {guard.ModeYolo, "rm -rf root/", false},
		"write through a link":    {guard.ModeYolo, "echo x > root/etc/passwd", false},
		"read a key by link":      {guard.ModeYolo, "cat key", false},
		"cd through a link":       {guard.ModeYolo, "cd abs && rm -rf *", false},
		"remove by a link and up": {guard.ModeYolo, "rm -rf out/../.cache", false},
		"remove a part":           {guard.ModeYolo, "rm -rf src", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := policy.Decide(tt.mode, tt.command, ctx)
			if got.Allow != tt.allow {
				t.Errorf("%q: allow = %v (%s)", tt.command, got.Allow, got.Reason)
			}
		})
	}
}

// TestGlobs checks how globs are expanded: sorted, without hidden files, and
// never to a word that a program could read as an option.
func TestGlobs(t *testing.T) {
	ctx := project(t)
	mustDo(t, os.Remove(filepath.Join(ctx.Workspace, "sneaky.txt")))
	tests := map[string][]string{
		"ls [ab].txt":         {"ls", "a.txt", "b.txt"},
		"ls *.txt":            {"ls", "a.txt", "b.txt", "with space.txt"},
		"ls *rf":              {"ls", "./-rf"},
		"cat '*'.txt":         {"cat", "*.txt"},
		"cat *.none":          {"cat", "*.none"},
		"cat src/*":           {"cat", "src/x.go"},
		"cat ./src/?.go":      {"cat", "./src/x.go"},
		"cat */x.go":          {"cat", "in/x.go", "src/x.go"},
		"cat [!a].txt":        {"cat", "b.txt"},
		`cat \*.txt`:          {"cat", "*.txt"},
		"tail *5":             {"tail", "./+5"},
		"cat .h*":             {"cat", ".hidden"},
		"cat **/x.go":         {"cat", "in/x.go", "src/x.go"},
		"grep -R x src/*.go":  {"grep", "-r", "x", "src/x.go"},
		"grep -nR x src":      {"grep", "-nr", "x", "src"},
		"diff -r src in":      {"diff", "--no-dereference", "-r", "src", "in"},
		"find src -name '*'":  {"find", "src", "-name", "*"},
		"cat \"with space\"*": {"cat", "with space.txt"},
	}
	for command, want := range tests {
		got := policy.Decide(guard.ModeSafe, command, ctx)
		if !got.Allow {
			t.Errorf("%q is refused: %s", command, got.Reason)
			continue
		}
		argv := slices.DeleteFunc(got.Plan.Steps[0].Stages[0].Argv, func(arg string) bool { return strings.HasPrefix(arg, "--exclude=") })
		if diff := cmp.Diff(want, argv); diff != "" {
			t.Errorf("%q (-want +got):\n%s", command, diff)
		}
	}
}

func TestWorkspaceMustBeAProject(t *testing.T) {
	for _, ws := range []string{"/", "/home", "/home/user", "/home/user/.ssh", "relative", "", "/home/user/.config", "/home/user/.local/state/bridge"} {
		ctx := corpusContext()
		ctx.Workspace = ws
		for _, mode := range modes {
			if got := policy.Decide(mode, "ls", ctx); got.Allow {
				t.Errorf("%s: the workspace %q is accepted", mode, ws)
			}
		}
	}
}

func TestSystemPrograms(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, os.Chmod(dir, 0o755))
	good, loose := filepath.Join(dir, "good"), filepath.Join(dir, "loose")
	for _, file := range []string{good, loose} {
		mustDo(t, os.WriteFile(file, nil, 0o600))
	}
	mustDo(t, os.Chmod(good, 0o755))
	mustDo(t, os.Chmod(loose, 0o777))
	find := guard.SystemPrograms(nil, []string{dir})
	if got, err := find("good"); err != nil || got != good {
		t.Errorf("good: %q, %v", got, err)
	}
	for _, name := range []string{"loose", "absent-program", "../good", "", good} {
		if _, err := find(name); err == nil {
			t.Errorf("%q is found", name)
		}
	}
	mustDo(t, os.Chmod(dir, 0o777))
	if _, err := find("good"); err == nil {
		t.Error("a program in a folder that others may write is found")
	}
}

func TestProgramsInTheWorkspace(t *testing.T) {
	ctx := corpusContext()
	ctx.LookPath = func(name string) (string, error) { return ctx.Workspace + "/bin/" + name, nil }
	if got := policy.Decide(guard.ModeSafe, "ls", ctx); got.Allow {
		t.Error("a program of the workspace is run")
	}
	ctx.LookPath = func(name string) (string, error) { return "/usr/bin/" + name, nil }
	got := policy.Decide(guard.ModeSafe, "ls | head", ctx)
	if !got.Allow || got.Plan.Steps[0].Stages[1].Path != "/usr/bin/head" {
		t.Errorf("%+v", got)
	}
}

// TestReasonsAreShort checks that a refusal never quotes a long value in full.
func TestReasonsAreShort(t *testing.T) {
	long := strings.Repeat("secretvalue", 300)
	for _, command := range []string{"cat /" + long, "ls --" + long, long, "git " + long, "python -m " + long, "npm i https://" + long, "find . -" + long} {
		for _, mode := range modes {
			if got := policy.Decide(mode, command, corpusContext()); !got.Allow && len(got.Reason) > 400 {
				t.Errorf("%s: a reason of %d bytes for %.20q", mode, len(got.Reason), command)
			}
		}
	}
}
