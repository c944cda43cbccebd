package commands_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// attackScript is what a script, a package, a test or a makefile may contain. Reading
// the command that starts it cannot reveal this.
func (l testHome) attackScript(port string) string {
	return strings.NewReplacer("HOME", l.home, "WS", l.workspace, "PORT", port).Replace(`
cat HOME/.ssh/id_rsa HOME/.aws/credentials HOME/projects/secret HOME/notes 2>/dev/null
echo owned >>HOME/.bashrc; echo owned >HOME/owned; echo owned >>HOME/projects/secret
rm -rf HOME/.ssh HOME/projects/myappx
echo owned >>WS/.git/config; mkdir -p WS/.git/hooks; echo owned >WS/.git/hooks/pre-commit
mkdir -p WS/.vscode; echo owned >WS/.vscode/tasks.json; echo owned >WS/.envrc
mv WS/.git WS/moved; rm -rf WS/.git
bash -c 'echo x >/dev/tcp/127.0.0.1/PORT; echo x >/dev/udp/127.0.0.1/PORT'
ln -s HOME/.ssh WS/way; cat WS/way/id_rsa
setsid sleep 1000 >/dev/null 2>&1 </dev/null &
echo the attack ran
`)
}

// onlyTheSandbox are kinds of commands whose harm no policy can detect, each allowed in
// its mode.
var onlyTheSandbox = []struct {
	kind    string
	mode    guard.Mode
	command string
	program string // needed program
}{
	{"a script", guard.ModeYolo, "bash attack.sh", "bash"},
	{"a script that another program starts", guard.ModeYolo, "timeout 20 nice bash attack.sh", "timeout"},
	{"a Python script", guard.ModeRestricted, "python3 attack.py", "python3"},
	{"tests", guard.ModeRestricted, "python3 -m unittest test_attack.py", "python3"},
	{"a makefile", guard.ModeRestricted, "make attack", "make"},
	{"a package's script", guard.ModeRestricted, "npm test", "npm"},
	{"a program's plugin", guard.ModeRestricted, "node attack.js", "node"},
	{"a name built at run time", guard.ModeYolo, `python3 -c "import subprocess as s; getattr(s, 'r' + 'un')(['ba' + 'sh', 'attack.' + 'sh'])"`, "python3"},
}

// TestOnlyTheSandboxHolds runs commands that attack the machine and that every mode's
// policy accepts, so that only the sandbox stops them.
func TestOnlyTheSandboxHolds(t *testing.T) {
	for _, b := range []sandbox.Backend{sandbox.Bubblewrap, sandbox.Landlock} {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			needBackend(t, b)
			for _, tt := range onlyTheSandbox {
				t.Run(tt.kind, func(t *testing.T) { runAttack(t, b, tt.mode, tt.command, tt.program) })
			}
		})
	}
}

func runAttack(t *testing.T, b sandbox.Backend, mode guard.Mode, command, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("MISSING: %s", program)
	}
	l := newTestHome(t)
	e := listen(t, filepath.Join(l.workspace, "sock"))
	l.plantAttack(t, e.port)
	d := l.decide(mode, command)
	if !d.Allow {
		t.Fatalf("%q is refused (%s: %s): then it belongs in a list of the guard", command, d.Rule, d.Reason)
	}
	list, err := commands.SandboxList(*d.Plan, l.workspace, commands.Access{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := l.outside(t)
	result, err := sandbox.Run(t.Context(), list, sandbox.Options{Workspace: l.workspace, Backend: b, Writable: true, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	out := string(result.Stdout) + string(result.Stderr)
	if !strings.Contains(out, "the attack ran") {
		t.Errorf("the attack did not run: status %d, %s", result.ExitCode, out)
	}
	if strings.Contains(out, canary) {
		t.Errorf("a secret was read: %s", out)
	}
	if diff := cmp.Diff(before, l.outside(t)); diff != "" {
		t.Error(diff)
	}
	if n := e.others(t); n > 0 {
		t.Errorf("%d calls came", n)
	}
	if left := l.leftovers(t); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
}

// plantAttack puts the same attack into everything that a command may run.
func (l testHome) plantAttack(t *testing.T, port string) {
	t.Helper()
	python := "import subprocess\nsubprocess.run(['bash', 'attack.sh'])\n"
	for name, text := range map[string]string{
		"attack.sh":      l.attackScript(port),
		"attack.py":      python,
		"test_attack.py": "import unittest\n" + python + "class T(unittest.TestCase):\n    def test(self): pass\n",
		"Makefile":       "attack:\n\tbash attack.sh\n",
		"package.json":   `{"name": "x", "version": "1.0.0", "scripts": {"test": "bash attack.sh"}}`,
		"attack.js":      "require('child_process').spawnSync('bash', ['attack.sh'], {stdio: 'inherit'})\n",
	} {
		if err := os.WriteFile(filepath.Join(l.workspace, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// outside returns the state of everything that the command must not change, which is
// everything but the workspace's ordinary files.
func (l testHome) outside(t *testing.T) map[string]string {
	t.Helper()
	all := l.state(t)
	maps.DeleteFunc(all, func(path, _ string) bool {
		rel, inWorkspace := strings.CutPrefix(path, l.workspace+"/")
		first, _, _ := strings.Cut(rel, "/")
		return inWorkspace && first != ".git" && first != ".vscode" && first != ".envrc"
	})
	delete(all, l.workspace)
	return all
}

// TestFolderAndVariables checks that a cd and variable assignments before a command
// take effect in the sandbox, alone and together.
func TestFolderAndVariables(t *testing.T) {
	for _, b := range []sandbox.Backend{sandbox.Bubblewrap, sandbox.Landlock} {
		t.Run(string(b), func(t *testing.T) {
			needBackend(t, b)
			for command, want := range map[string]string{
				"cd src && ls":                               "a.go\n",
				"LC_ALL=C sort f":                            "f\n",
				"CI=true NODE_ENV=test python3 show.py":      "true test myapp\n",
				"cd src && CI=true python3 ../show.py":       "true None src\n",
				"CI=true python3 show.py && python3 show.py": "true None myapp\nNone None myapp\n",
			} {
				l := newTestHome(t)
				script := "import os\nprint(os.environ.get('CI'), os.environ.get('NODE_ENV'), os.path.basename(os.getcwd()))\n"
				if err := os.WriteFile(filepath.Join(l.workspace, "show.py"), []byte(script), 0o644); err != nil {
					t.Fatal(err)
				}
				d := l.decide(guard.ModeRestricted, command)
				if !d.Allow {
					t.Errorf("%q: %s", command, d.Reason)
					continue
				}
				list, err := commands.SandboxList(*d.Plan, l.workspace, commands.Access{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				result, err := sandbox.Run(t.Context(), list, sandbox.Options{Workspace: l.workspace, Backend: b, Timeout: time.Minute})
				if err != nil || string(result.Stdout) != want {
					t.Errorf("%q: %v, status %d, %q, %s", command, err, result.ExitCode, result.Stdout, result.Stderr)
				}
			}
		})
	}
}

// TestNoAssignmentForAProgram checks that a program whose path contains an equals sign
// is refused: env would take the path for an assignment, and the argument after it for
// the program.
func TestNoAssignmentForAProgram(t *testing.T) {
	plan := guard.Plan{Steps: []guard.Step{{Stages: []guard.Stage{{
		Argv: []string{"npm", "/bin/sh"}, Path: "/opt/a=b/bin/npm", Env: []string{"CI=true"},
	}}}}}
	if list, err := commands.SandboxList(plan, t.TempDir(), commands.Access{}, nil); err == nil {
		t.Errorf("it became %+v", list)
	}
}
