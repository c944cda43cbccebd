package guard_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/table"
)

// TestWorkspaceStandsInTheWay checks decisions that depend on the files of the
// workspace: a Python module that a file of the same name would shadow, and
// folders that may be submodules.
func TestWorkspaceStandsInTheWay(t *testing.T) {
	tests := map[string]struct {
		files   []string
		command string
		allow   bool
	}{
		"module":                      {nil, "python3 -m pytest", true},
		"module of the folder":        {[]string{"pytest.py"}, "python3 -m pytest", false},
		"compiled":                    {[]string{"mypy.cpython-311-x86_64-linux-gnu.so"}, "python3 -m mypy src", false},
		"package of the folder":       {[]string{"unittest/__init__.py"}, "python3 -m unittest", false},
		"folder without a package":    {[]string{"ruff/rules.md"}, "python3 -m ruff check .", true},
		"settings of the module":      {[]string{"pytest.ini", "mypy.ini"}, "python3 -m pytest", true},
		"isolated":                    {[]string{"pytest.py"}, "python3 -I -m pytest", true},
		"in the folder that cd named": {[]string{"sub/pytest.py"}, "cd sub && python3 -m pytest", false},
		"module that is isolated":     {[]string{"pip.py", "json/tool.py"}, "python3 -m pip list", true},

		"file is removed":           {[]string{"a.txt"}, "git rm a.txt", true},
		"submodule is removed":      {[]string{"sub/.git"}, "git rm sub", false},
		"submodule with a slash":    {[]string{"sub/.git"}, "git rm sub/", false},
		"submodule that is empty":   {[]string{"sub/.keep"}, "git rm -q sub", false},
		"submodule from the index":  {[]string{"sub/.git"}, "git rm --cached sub", true},
		"folder is moved":           {[]string{"sub/a"}, "git mv sub other", true},
		"submodule is moved":        {[]string{"sub/a", ".gitmodules"}, "git mv sub other", false},
		"file beside a submodule":   {[]string{"a.txt", ".gitmodules"}, "git mv a.txt b.txt", true},
		"submodule by another path": {[]string{"sub/.git"}, "git rm ./sub/../sub", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			home, err := filepath.EvalSymlinks(t.TempDir())
			mustDo(t, err)
			ctx := guard.Context{Home: home, Workspace: filepath.Join(home, "work", "app")}
			mustDo(t, os.MkdirAll(ctx.Workspace, 0o755))
			for _, file := range tt.files {
				path := filepath.Join(ctx.Workspace, file)
				mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
				mustDo(t, os.WriteFile(path, nil, 0o600))
			}
			got := policy.Decide(guard.ModeRestricted, tt.command, ctx)
			if got.Allow != tt.allow {
				t.Errorf("%q: allow = %v (%s)", tt.command, got.Allow, got.Reason)
			}
			checkDecision(t, tt.command, got)
		})
	}
}

// TestIsolatedModules checks that Python modules which need nothing from the
// workspace run isolated from it.
func TestIsolatedModules(t *testing.T) {
	for command, want := range map[string]string{
		"python3 -m json.tool a.json":    "python3 -I -m json.tool a.json",
		"python3 -B -m pip list":         "python3 -I -B -m pip list",
		"python3 -m venv .venv":          "python3 -I -m venv .venv",
		"python3 -m pytest -q":           "python3 -m pytest -q",
		"zcat a.gz":                      "gzip -cd a.gz",
		"gunzip -c a.gz":                 "gzip -d -c a.gz",
		"LC_ALL=C zcat a.gz b.gz | head": "gzip -cd a.gz b.gz",
	} {
		got := policy.Decide(guard.ModeRestricted, command, corpusContext())
		if !got.Allow {
			t.Errorf("%q: %s", command, got.Reason)
			continue
		}
		if argv := strings.Join(got.Plan.Steps[0].Stages[0].Argv, " "); argv != want {
			t.Errorf("%q runs %q, want %q", command, argv, want)
		}
	}
}

// TestNoShellScripts checks that no program of safe and restricted mode is a
// shell script on this machine: its shell would search PATH for programs.
func TestNoShellScripts(t *testing.T) {
	replaced := []string{"zcat", "gunzip", "which"} // which is built into the bridge
	for _, name := range table.Programs(guard.ModeRestricted) {
		if slices.Contains(replaced, name) {
			continue
		}
		for _, dir := range []string{"/usr/bin", "/bin"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				continue
			}
			first, _, _ := strings.Cut(string(data[:min(len(data), 100)]), "\n")
			if strings.HasPrefix(first, "#!") && (strings.HasSuffix(first, "sh") || strings.Contains(first, "sh ")) {
				t.Errorf("%s is a shell script (%s): start the program that it starts", name, first)
			}
		}
	}
}
