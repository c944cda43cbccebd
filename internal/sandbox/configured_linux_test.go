package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/sandbox"
)

// configuredRepository returns a workspace whose configuration names programs of
// the workspace. Each leaves a mark when git on the host runs it.
func configuredRepository(t *testing.T) (ws string, held []string) {
	t.Helper()
	ws = repository(t)
	program := func(name string) {
		path := filepath.Join(ws, name)
		write(t, path, "#!/bin/sh\nexit 0\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		held = append(held, name)
	}
	program("tools/hooks/pre-commit")
	program("tools/clean.sh")
	program("tools/monitor")
	program("alias.sh")
	program("tools/second.sh")
	git(t, ws, "config", "core.hooksPath", "tools/hooks")
	git(t, ws, "config", "filter.x.clean", "sh 'tools/clean.sh' %f; cat")
	git(t, ws, "config", "core.fsmonitor", filepath.Join(ws, "tools", "monitor"))
	git(t, ws, "config", "alias.hello", "!./alias.sh && true")
	git(t, ws, "config", "core.excludesFile", "free.txt")
	write(t, filepath.Join(ws, "free.txt"), "")
	write(t, filepath.Join(ws, "shared.config"), "[diff]\n\texternal = tools/second.sh\n")
	git(t, ws, "config", "include.path", "../shared.config")
	return ws, append(held, "shared.config")
}

// TestConfiguredProgramsAreHeld checks that files in the workspace which the
// repository's configuration names cannot be written, and that others can.
func TestConfiguredProgramsAreHeld(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws, held := configuredRepository(t)
		before := map[string]string{}
		for _, name := range held {
			before[name] = read(t, filepath.Join(ws, name))
		}
		var script strings.Builder
		for _, name := range held {
			script.WriteString("echo owned >>" + name + "; rm -f " + name + "; mv " + name + " in/x; ln -sf /bin/id " + name + "\n")
		}
		script.WriteString("echo owned >tools/hooks/post-commit; mv tools in/t; mv tools/hooks in/h; rm -rf tools; echo ok >free.txt; true\n")
		run(t, bash(script.String()), sandbox.Options{Workspace: ws, Backend: b, Writable: true, GitWrite: true})
		after := map[string]string{}
		for _, name := range held {
			after[name] = read(t, filepath.Join(ws, name))
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		if got := names(t, filepath.Join(ws, "tools", "hooks")); len(got) != 1 {
			t.Errorf("hooks: %q", got)
		}
		if got := read(t, filepath.Join(ws, "free.txt")); got != "ok\n" {
			t.Errorf("a file of data cannot be written: %q", got)
		}
	})
}

// TestAbsentHooksFolder checks that the folder of core.hooksPath cannot be
// created either.
func TestAbsentHooksFolder(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	for _, folder := range []string{"hooks", "in/more/hooks"} {
		ws := repository(t)
		git(t, ws, "config", "core.hooksPath", folder)
		mark := filepath.Join(t.TempDir(), "mark")
		script := "mkdir -p " + folder + "; printf '#!/bin/sh\\necho owned >" + mark + "\\n' >" + folder + "/pre-commit; chmod +x " + folder + "/pre-commit; true"
		run(t, bash(script), sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true})
		if got := hostGit(t, ws, mark, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--allow-empty", "-m", "x"); got != "" {
			t.Errorf("%s: the host's git ran what the command had written", folder)
		}
		if _, err := os.Lstat(filepath.Join(ws, folder)); err == nil {
			t.Errorf("%s was left behind", folder)
		}
	}
}

// TestGitConfigAsGit compares the parser of configuration files with git's.
func TestGitConfigAsGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("MISSING: git is not installed")
	}
	for _, text := range []string{
		"[core]\n\thooksPath = a/b # comment\n\tfsmonitor=\"x y\" ; more\n",
		"[filter \"a]b\\\"c\"] clean = one\\\n two\n[alias]x=!a \"b # c\" \\\"d\\\" \\t e\n",
		"# [core]\n; x = y\n[a]\r\n\tKey = value\r\n\tbare\n\tempty =\n\tlast = v",
		"[section.sub]\n  k = \"a\" \"b\"\n[x] y = \\\\z\n",
	} {
		path := filepath.Join(t.TempDir(), "config")
		write(t, path, text)
		out, err := exec.Command("git", "config", "--file", path, "--list", "-z").Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			name, value, has := strings.Cut(line, "\n")
			if has {
				want = append(want, name[strings.LastIndexByte(name, '.')+1:]+"="+value)
			}
		}
		if diff := cmp.Diff(want, sandbox.GitSettings(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestHooksHoweverNamed checks that a folder of hooks is held, in whatever way
// the configuration names it.
func TestHooksHoweverNamed(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	for name, config := range map[string]string{
		"from home":          "[core]\n\thooksPath = ~/BASE/checks\n",
		"before another key": "[core]\n\thooksPath = checks\n[foo]\n\thookspath = /nowhere\n",
		"behind a mark":      "\uFEFF[core] hooksPath = checks\n",
		"absolute":           "[core]\n\thooksPath = \"WS/checks\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			ws := repository(t)
			t.Setenv("HOME", filepath.Dir(ws))
			config = strings.NewReplacer("BASE", filepath.Base(ws), "WS", ws).Replace(config)
			if err := os.WriteFile(filepath.Join(ws, ".git", "config"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(ws, "checks"), 0o700); err != nil {
				t.Fatal(err)
			}
			run(t, bash("echo owned >checks/pre-commit; mv checks in; echo ok >free.txt; true"),
				sandbox.Options{Workspace: ws, Backend: sandbox.Bubblewrap, Writable: true})
			if got := names(t, filepath.Join(ws, "checks")); len(got) != 0 {
				t.Errorf("hooks: %q", got)
			}
			if got := read(t, filepath.Join(ws, "free.txt")); got != "ok\n" {
				t.Errorf("a file of data cannot be written: %q", got)
			}
		})
	}
}
