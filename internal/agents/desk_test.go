package agents_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/agents"
)

// desk holds the home folder and the project of a test.
type desk struct {
	testing.TB
	root string
	agents.Installer
}

func newDesk(t testing.TB) *desk {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{TB: t, root: root}
	for _, dir := range []string{"home", "project"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.Installer = agents.Installer{
		Place: agents.Place{
			Home:   filepath.Join(root, "home"),
			Dir:    filepath.Join(root, "project"),
			Getenv: func(string) string { return "" },
		},
		State: filepath.Join(root, "home", ".local", "state", "bridge"),
	}
	return d
}

func (d *desk) setup(c agents.Client, scope agents.Scope) agents.Setup {
	return agents.Setup{Client: c, Scope: scope, Program: absolute("/opt/my tools/bridge"), Name: agents.DefaultName, DenyRules: hasRules(c, scope), AllowTools: hasRules(c, scope), GuardClaims: c.Hooked()}
}

// hasRules reports whether bridge writes rules for a client.
func hasRules(c agents.Client, scope agents.Scope) bool {
	return c.Hooked() && (c != agents.Gemini || scope == agents.ScopeUser)
}

// absolute turns a path that begins with a slash into one that is absolute on this
// system.
func absolute(path string) string {
	if runtime.GOOS == "windows" {
		return "C:" + path
	}
	return path
}

func (d *desk) write(name, text string) {
	d.Helper()
	path := filepath.Join(d.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.Helper()
	text, err := os.ReadFile(filepath.Join(d.root, name))
	if err != nil {
		d.Fatal(err)
	}
	return string(text)
}

// tree maps every file to its mode and text, every folder to its mode, and every link
// to its target.
func (d *desk) tree() map[string]string {
	d.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			text += " -> " + to
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(content)
		}
		all[strings.TrimPrefix(path, d.root)] = text
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	return all
}

func (d *desk) install(s agents.Setup) *agents.Plan {
	d.Helper()
	plan, err := d.Install(s)
	if err == nil {
		err = plan.Apply()
	}
	if err != nil {
		d.Fatal(err)
	}
	return plan
}

func (d *desk) uninstall(s agents.Setup) *agents.Plan {
	d.Helper()
	plan, err := d.Uninstall(s)
	if err == nil {
		err = plan.Apply()
	}
	if err != nil {
		d.Fatal(err)
	}
	return plan
}

// everywhere runs a test for every client and scope.
func everywhere(t *testing.T, test func(*testing.T, *desk, agents.Setup)) {
	for _, c := range agents.Clients() {
		for _, scope := range []agents.Scope{agents.ScopeUser, agents.ScopeProject} {
			if scope == agents.ScopeProject && (c == agents.Copilot || c == agents.Cline) {
				continue // they have no files for projects
			}
			t.Run(string(c)+" "+string(scope), func(t *testing.T) {
				d := newDesk(t)
				test(t, d, d.setup(c, scope))
			})
		}
	}
}
