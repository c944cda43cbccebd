package sandbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// TestHelpersAreNotFoundThroughPath checks that helpers are not searched in PATH.
// In an activated virtual environment the first folder of PATH lies in the
// workspace, where a command may write a program with a helper's name. Starting
// it would run it outside of the box.
func TestHelpersAreNotFoundThroughPath(t *testing.T) {
	racetest.Skip(t)
	for _, b := range []sandbox.Backend{"", sandbox.Bubblewrap, sandbox.Landlock, sandbox.Docker, sandbox.Podman} {
		t.Run("backend "+string(b), func(t *testing.T) {
			ws := t.TempDir()
			bin := filepath.Join(ws, ".venv", "bin")
			mark := filepath.Join(t.TempDir(), "owned")
			for _, name := range []string{"bwrap", "git", "docker", "podman", "bash", "sh", "newuidmap", "setpriv"} {
				path := filepath.Join(bin, name)
				write(t, path, fmt.Sprintf("#!/bin/sh\necho \"$0 $*\" >>%s\n", mark))
				if err := os.Chmod(path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			opts := sandbox.Options{Workspace: ws, Backend: b, Image: "image", Writable: true}
			res, err := sandbox.Run(t.Context(), sandbox.Program("/usr/bin/true"), opts)
			t.Log(res.ExitCode, err)
			if b == "" {
				_ = sandbox.Probe(t.Context(), sandbox.Options{})
			}
			if ran, err := os.ReadFile(mark); err == nil {
				t.Errorf("started outside of the box: %s", ran)
			}
		})
	}
}
