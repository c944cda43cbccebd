package sandbox_test

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/programtest"
	"example.org/bridge/internal/sandbox"
)

// probed returns which backends work on this machine. It probes them once.
var probed = sync.OnceValue(func() map[sandbox.Backend]error {
	works := map[sandbox.Backend]error{sandbox.None: nil}
	for _, st := range sandbox.Probe(contextForProbe(), sandbox.Options{}) {
		works[st.Backend] = st.Err
	}
	return works
})

// confining are the backends against which every attack is tried.
var confining = []sandbox.Backend{sandbox.Bubblewrap, sandbox.Landlock}

// bounding are the backends that must leave no process behind.
var bounding = append([]sandbox.Backend{sandbox.None}, confining...)

func eachBackend(t *testing.T, backends []sandbox.Backend, test func(t *testing.T, b sandbox.Backend)) {
	t.Helper()
	for _, b := range backends {
		t.Run(string(b), func(t *testing.T) {
			need(t, b)
			test(t, b)
		})
	}
}

func need(t *testing.T, b sandbox.Backend) {
	t.Helper()
	if err := probed()[b]; err != nil {
		t.Skipf("MISSING: %s cannot be tested on this machine: %v", b, err)
	}
}

// bash returns the list that runs a script.
func bash(script string) sandbox.List {
	return sandbox.Program("/bin/bash", "--noprofile", "--norc", "-c", script)
}

// run runs a list that must start successfully.
func run(t *testing.T, list sandbox.List, opts sandbox.Options) sandbox.Result {
	t.Helper()
	if opts.Workspace == "" {
		opts.Workspace = t.TempDir()
	}
	if opts.Timeout == 0 {
		opts.Timeout = time.Minute
	}
	res, err := sandbox.Run(t.Context(), list, opts)
	if err != nil {
		t.Fatalf("Run: %v (stderr %q)", err, res.Stderr)
	}
	return res
}

// workspaceWithAttacks returns a workspace that contains the test program as
// ./attack.
func workspaceWithAttacks(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	programtest.Write(t, filepath.Join(dir, "attack"), self)
	return dir
}

// outside returns a folder outside every workspace that anybody may read and
// write, so that only the sandbox keeps a command out of it. The file "secret" in
// it belongs to the user that root becomes.
func outside(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bridge-outside-") //nolint:usetesting // t.TempDir lies in a folder that is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	secret := filepath.Join(dir, "secret")
	write(t, secret, "the secret")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(secret, 0o666); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		for _, p := range []string{dir, secret} {
			if err := os.Chown(p, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func closing(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// lifeline makes a FIFO in the workspace's folder "in". A reader reaches its end
// only when no process holds it open for writing any more, that is, when every
// process that had it open is dead.
func lifeline(t *testing.T, workspace string) string {
	t.Helper()
	path := filepath.Join(workspace, "in", "lifeline")
	write(t, filepath.Join(workspace, "in", "keep"), "")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
