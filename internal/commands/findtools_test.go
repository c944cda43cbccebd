package commands_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/commands"
)

// TestFindTools checks that folders of tools are found whatever the name of their
// parent folder is.
func TestFindTools(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home, workspace := filepath.Join(root, "a[b"), filepath.Join(root, "work *[")
	for _, path := range []string{filepath.Join(home, ".cargo", "bin"), filepath.Join(home, "sdk", "go1.26"), filepath.Join(home, "other"), filepath.Join(workspace, "venv")} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{filepath.Join(home, ".cargo", "bin"), filepath.Join(home, "sdk", "go1.26"), filepath.Join(workspace, "venv")}
	if diff := cmp.Diff(want, commands.FindTools(home, workspace)); diff != "" {
		t.Error(diff)
	}
}
