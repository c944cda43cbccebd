package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// toolFolder makes a folder with a program in bin, below a folder that others may
// not enter, as in a home folder.
func toolFolder(t *testing.T) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	dir := filepath.Join(home, "toolchain")
	program := filepath.Join(dir, "bin", "greet")
	write(t, program, "#!/bin/sh\nexec cat \"$(dirname \"$0\")/../lib/text\"\n")
	write(t, filepath.Join(dir, "lib", "text"), "hello from the tool\n")
	write(t, filepath.Join(home, "secret"), "secret\n")
	if err := errors.Join(os.Chmod(program, 0o755), os.Chmod(home, 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTools(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		tools := toolFolder(t)
		for _, writable := range []bool{false, true} {
			opts := sandbox.Options{Workspace: t.TempDir(), Backend: b, Writable: writable, Tools: []string{tools}}
			script := `greet; echo "${PATH%%:*}"; cat ` + tools + `/../secret 2>/dev/null
				echo x 2>/dev/null >` + tools + `/bin/greet; rm -rf ` + tools + `/lib 2>/dev/null; touch ` + tools + `/new 2>/dev/null; greet`
			res := run(t, bash(script), opts)
			want := "hello from the tool\n" + tools + "/bin\nhello from the tool\n"
			if string(res.Stdout) != want {
				t.Errorf("writable %v: %q, want %q (%s)", writable, res.Stdout, want, res.Stderr)
			}
			if got := names(t, tools); len(got) != 2 {
				t.Errorf("the tool folder has %q", got)
			}
			opts.Tools = nil
			if res := run(t, bash("greet 2>/dev/null || "+tools+"/bin/greet 2>/dev/null || echo none"), opts); string(res.Stdout) != "none\n" {
				t.Errorf("not named, and in reach: %q", res.Stdout)
			}
		}
	})
}

// TestToolsInTheWorkspace checks that programs in a virtual environment of the
// workspace, which the operator has named, can be run but not changed.
func TestToolsInTheWorkspace(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := t.TempDir()
		venv := filepath.Join(ws, "app", ".venv")
		write(t, filepath.Join(venv, "bin", "greet"), "#!/bin/sh\necho hello\n")
		write(t, filepath.Join(ws, "app", "plain"), "")
		if err := os.Chmod(filepath.Join(venv, "bin", "greet"), 0o755); err != nil {
			t.Fatal(err)
		}
		res := run(t, bash(`greet; echo changed >app/.venv/bin/greet; rm -rf app/.venv; mv app/.venv app/x; greet; echo new >app/plain && cat app/plain`),
			sandbox.Options{Workspace: ws, Backend: b, Writable: true, Tools: []string{venv}})
		if string(res.Stdout) != "hello\nhello\nnew\n" {
			t.Errorf("%q %q", res.Stdout, res.Stderr)
		}
	})
}

func TestCheckTools(t *testing.T) {
	ws, state, good := t.TempDir(), t.TempDir(), toolFolder(t)
	loose := filepath.Join(t.TempDir(), "loose")
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Mkdir(loose, 0o700), os.Chmod(loose, 0o777), os.Symlink(good, link)); err != nil {
		t.Fatal(err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip("MISSING: HOME is not set")
	}
	tests := []struct {
		name, dir, want string // "" if none
	}{
		{"a folder of programs", good, ""},
		{"in the workspace", ws, "contains the workspace"},
		{"above the workspace", filepath.Dir(ws), "contains the workspace"},
		{"the root", "/", "contains the workspace"},
		{"a system folder", "/usr", "is or contains /usr"},
		{"the home", home, "is or contains"},
		{"the bridge's own", state, "is or contains"},
		{"above the bridge's own", filepath.Dir(state), "contains"},
		{"a link", link, "now a link"},
		{"absent", filepath.Join(good, "none"), "no longer exists"},
		{"a kernel folder", "/proc/self", "a link"},
		{"written by others", loose, "chmod go-w"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := sandbox.CheckTools([]string{tt.dir}, ws, []string{state})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	_, err = sandbox.Run(t.Context(), bash("true"), sandbox.Options{Workspace: ws, Tools: []string{filepath.Dir(ws)}})
	if !errors.Is(err, sandbox.ErrWorkspace) {
		t.Errorf("Run: %v", err)
	}
}
