package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// TestPlantedOutOfSight checks that files which a command plants are found even
// if it hides them: next to folders too deep for a path, in a folder that can be
// entered but not read, in a folder that cannot be written, and behind so many
// names that the report does not list them all.
func TestPlantedOutOfSight(t *testing.T) {
	racetest.Skip(t)
	const plant = "mkdir -p in/x/.vscode; echo x >in/x/.vscode/tasks.json; "
	scripts := map[string]string{
		"beside what is too deep": plant + "cd in; d=$(printf 'a%.0s' {1..250}); for i in {1..17}; do mkdir $d && cd -P $d; done",
		"entered and not read":    "cd in; umask 0466; mkdir x; umask 022; mkdir x/.vscode; echo x >x/.vscode/tasks.json",
		"closed later":            plant + "chmod 311 in/x",
		"not to be written":       plant + "chmod 555 in/x",
		"among many":              plant + "for i in {1..12}; do mkdir -p in/a$i/.vscode; done",
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for name, script := range scripts {
			t.Run(name, func(t *testing.T) {
				ws := t.TempDir()
				write(t, filepath.Join(ws, "in", "keep"), "")
				t.Cleanup(func() {
					_ = os.Chmod(filepath.Join(ws, "in", "x"), 0o700)
					shorten(t, filepath.Join(ws, "in"))
				})
				opts := sandbox.Options{Workspace: ws, Backend: b, Writable: true}
				res := run(t, bash(script), opts)
				if _, err := os.Lstat(filepath.Join(ws, "in/x/.vscode/tasks.json")); err == nil {
					t.Errorf("it is still there; said %.300q, %s", res.Held, res.Stderr)
				}
				if !strings.Contains(strings.Join(res.Held, "\n"), "in/x/.vscode is new") {
					t.Errorf("said %.300q", res.Held)
				}
				run(t, bash("true"), opts) // the workspace is still usable
			})
		}
	})
}

// shorten splits a chain of folders that is too deep for a path, so that it can
// be removed.
func shorten(t *testing.T, dir string) {
	t.Helper()
	long := filepath.Join(dir, strings.Repeat("a", 250))
	for i := range 30 {
		inner := filepath.Join(long, strings.Repeat("a", 250))
		aside := filepath.Join(dir, strings.Repeat("b", i+1))
		if os.Rename(inner, aside) != nil {
			return
		}
		if err := os.RemoveAll(long); err != nil {
			t.Error(err)
		}
		if err := os.Rename(aside, long); err != nil {
			t.Error(err)
		}
	}
}
