package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

func stage(redirects []sandbox.Redirect, path string, args ...string) sandbox.Stage {
	return sandbox.Stage{Path: path, Args: append([]string{path}, args...), Redirects: redirects}
}

func printed(text string, status int) sandbox.Stage {
	return sandbox.Stage{Print: true, Text: text, Status: status}
}

func pipeline(op sandbox.Op, stages ...sandbox.Stage) sandbox.Pipeline {
	return sandbox.Pipeline{Op: op, Stages: stages}
}

func TestList(t *testing.T) {
	racetest.Skip(t)
	yes, no := printed("", 0), printed("", 1)
	both := []string{"-c", "echo out; echo err >&2"}
	sh := func(redirects ...sandbox.Redirect) sandbox.Stage { return stage(redirects, "/bin/sh", both...) }
	cat := stage(nil, "/bin/cat")
	tests := []struct {
		name           string
		list           sandbox.List
		stdout, stderr string
		status         int
		signal         string
	}{
		{name: "one program", list: sandbox.Program("/bin/echo", "a b", "$HOME", "*"), stdout: "a b $HOME *\n"},
		{name: "a pipe", list: sandbox.List{pipeline("", printed("b\na\n", 0), stage(nil, "/usr/bin/sort"))}, stdout: "a\nb\n"},
		{name: "a print at the end", list: sandbox.List{pipeline("", stage(nil, "/bin/echo", "x"), printed("y", 3))}, stdout: "y", status: 3},
		{name: "the last status counts", list: sandbox.List{pipeline("", stage(nil, "/bin/false"), stage(nil, "/bin/true"))}},
		{name: "and", list: sandbox.List{pipeline("", yes), pipeline(sandbox.And, printed("a", 0)), pipeline(sandbox.Or, printed("b", 0))}, stdout: "a"},
		{name: "or", list: sandbox.List{pipeline("", no), pipeline(sandbox.And, printed("a", 0)), pipeline(sandbox.Or, printed("b", 0))}, stdout: "b"},
		{name: "always", list: sandbox.List{pipeline("", no), pipeline("", printed("a", 5))}, stdout: "a", status: 5},
		{name: "a skipped one keeps the status", list: sandbox.List{pipeline("", printed("", 9)), pipeline(sandbox.And, yes)}, status: 9},
		{name: "no standard input", list: sandbox.List{pipeline("", cat)}},
		{name: "both streams", list: sandbox.List{pipeline("", sh())}, stdout: "out\n", stderr: "err\n"},
		{name: "2>&1 into a pipe", list: sandbox.List{pipeline("", sh(sandbox.StderrToStdout), cat)}, stdout: "out\nerr\n"},
		{name: "2>&1 >/dev/null", list: sandbox.List{pipeline("", sh(sandbox.StderrToStdout, sandbox.StdoutToNull), cat)}, stdout: "err\n"},
		{name: ">/dev/null 2>&1", list: sandbox.List{pipeline("", sh(sandbox.StdoutToNull, sandbox.StderrToStdout), cat)}},
		{name: "1>&2", list: sandbox.List{pipeline("", sh(sandbox.StdoutToStderr), cat)}, stderr: "out\nerr\n"},
		{name: "2>/dev/null", list: sandbox.List{pipeline("", sh(sandbox.StderrToNull))}, stdout: "out\n"},
		{name: "a reader that leaves", list: sandbox.List{pipeline("", stage(nil, "/usr/bin/yes"), stage(nil, "/usr/bin/head", "-n1"))}, stdout: "y\n"},
		{name: "a print that nobody reads", list: sandbox.List{pipeline("", printed(string(make([]byte, 1<<19)), 0), stage(nil, "/bin/true"))}},
		{name: "not found", list: sandbox.Program("/usr/bin/no-such"), stderr: "bridge: no-such: no such file or directory in the sandbox\n", status: 127},
		{name: "not a program", list: sandbox.Program("/etc/passwd"), stderr: "bridge: passwd: permission denied in the sandbox\n", status: 126},
		{name: "a signal", list: sandbox.Program("/bin/sh", "-c", "kill -9 $$"), status: 137, signal: "killed"},
	}
	eachBackend(t, bounding, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				res := run(t, tt.list, sandbox.Options{Backend: b})
				if string(res.Stdout) != tt.stdout || string(res.Stderr) != tt.stderr || res.ExitCode != tt.status || res.Signal != tt.signal {
					t.Errorf("got %q, %q, %d, %q; want %q, %q, %d, %q", res.Stdout, res.Stderr, res.ExitCode, res.Signal,
						tt.stdout, tt.stderr, tt.status, tt.signal)
				}
			})
		}
	})
}

func TestIdentity(t *testing.T) {
	eachBackend(t, bounding, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := t.TempDir()
		info, err := os.Stat(ws)
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		id := sandbox.Identity{Device: st.Dev, Inode: st.Ino}
		run(t, bash("true"), sandbox.Options{Workspace: ws, Backend: b, Identity: &id})
		id.Inode++
		_, err = sandbox.Run(t.Context(), bash("true"), sandbox.Options{Workspace: ws, Backend: b, Identity: &id})
		if !errors.Is(err, sandbox.ErrSetup) {
			t.Errorf("another folder: %v", err)
		}
	})
}

func TestRefusedBeforeAnythingRuns(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	ws := filepath.Join(home, "project")
	write(t, filepath.Join(ws, "file"), "")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/", link); err != nil {
		t.Fatal(err)
	}
	ok := bash("true")
	tests := []struct {
		name string
		list sandbox.List
		opts sandbox.Options
		want error
	}{
		{"no workspace", ok, sandbox.Options{}, sandbox.ErrWorkspace},
		{"a relative one", ok, sandbox.Options{Workspace: "."}, sandbox.ErrWorkspace},
		{"a missing one", ok, sandbox.Options{Workspace: ws + "x"}, sandbox.ErrWorkspace},
		{"a file", ok, sandbox.Options{Workspace: filepath.Join(ws, "file")}, sandbox.ErrWorkspace},
		{"the root", ok, sandbox.Options{Workspace: "/"}, sandbox.ErrWorkspace},
		{"the root through a link", ok, sandbox.Options{Workspace: link}, sandbox.ErrWorkspace},
		{"the system", ok, sandbox.Options{Workspace: "/usr"}, sandbox.ErrWorkspace},
		{"the kernel's", ok, sandbox.Options{Workspace: "/proc/self"}, sandbox.ErrWorkspace},
		{"home", ok, sandbox.Options{Workspace: home}, sandbox.ErrWorkspace},
		{"above home", ok, sandbox.Options{Workspace: filepath.Dir(home)}, sandbox.ErrWorkspace},
		{"the state within", ok, sandbox.Options{Workspace: ws, HiddenPaths: []string{filepath.Join(ws, "x", "state")}}, sandbox.ErrWorkspace},
		{"within the state", ok, sandbox.Options{Workspace: ws, HiddenPaths: []string{home}}, sandbox.ErrWorkspace},
		{"an empty list", nil, sandbox.Options{Workspace: ws}, sandbox.ErrCommand},
		{"a relative program", sandbox.Program("ls"), sandbox.Options{Workspace: ws}, sandbox.ErrCommand},
		{"a NUL", sandbox.Program("/bin/ls", "a\x00b"), sandbox.Options{Workspace: ws}, sandbox.ErrCommand},
		{"an operator in front", sandbox.List{pipeline(sandbox.And, printed("", 0))}, sandbox.Options{Workspace: ws}, sandbox.ErrCommand},
		{"an unknown redirection", sandbox.List{pipeline("", stage([]sandbox.Redirect{">file"}, "/bin/ls"))}, sandbox.Options{Workspace: ws}, sandbox.ErrCommand},
		{"an unknown backend", ok, sandbox.Options{Workspace: ws, Backend: "chroot"}, sandbox.ErrUnavailable},
		{"docker without an image", ok, sandbox.Options{Workspace: ws, Backend: sandbox.Docker}, sandbox.ErrUnavailable},
		{"a long timeout", ok, sandbox.Options{Workspace: ws, Timeout: 2 * time.Hour}, sandbox.ErrSetup},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if res, err := sandbox.Run(t.Context(), tt.list, tt.opts); !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v; want %v", res, err, tt.want)
			}
		})
	}
}

// TestAutomaticBackend checks that the strongest working backend is chosen, or
// none.
func TestAutomaticBackend(t *testing.T) {
	want := sandbox.Bubblewrap
	if probed()[want] != nil {
		want = sandbox.Landlock
	}
	need(t, want)
	if res := run(t, bash("true"), sandbox.Options{}); res.Backend != want {
		t.Errorf("ran in %s, want %s", res.Backend, want)
	}
	works := func(which ...sandbox.Backend) func(sandbox.Backend) sandbox.BackendStatus {
		return func(b sandbox.Backend) sandbox.BackendStatus {
			if slices.Contains(which, b) {
				return sandbox.BackendStatus{Backend: b}
			}
			return sandbox.BackendStatus{Backend: b, Err: sandbox.ErrUnavailable}
		}
	}
	if b, err := sandbox.ChooseFrom(t.Context(), works(sandbox.Landlock)); b != sandbox.Landlock || err != nil {
		t.Errorf("with Landlock alone it chose %q, %v", b, err)
	}
	if b, err := sandbox.ChooseFrom(t.Context(), works()); b != "" || !errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("with nothing it chose %q, %v", b, err)
	}
}

// BenchmarkRun measures the overhead of the box with a command that does nothing.
func BenchmarkRun(b *testing.B) {
	for _, backend := range bounding {
		b.Run(string(backend), func(b *testing.B) {
			if err := probed()[backend]; err != nil {
				b.Skipf("MISSING: %v", err)
			}
			ws := b.TempDir()
			for b.Loop() {
				if _, err := sandbox.Run(b.Context(), sandbox.Program("/bin/true"), sandbox.Options{Workspace: ws, Backend: backend}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
