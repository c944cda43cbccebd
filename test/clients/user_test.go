package clients_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridgetest"
)

// callTimeout limits the time of a client, generously, because the machine may be
// busy. It is only reached on failure.
const callTimeout = 2 * time.Minute

// user is a user's machine: an empty home folder, a project, and no network
// except the loopback interface, as far as the clients are told.
type user struct {
	*testing.T
	home, project string
	env           []string
}

// newUser skips the test if the clients are not installed. The test runs in
// parallel with others: each user has its own home, store and processes.
func newUser(t *testing.T, clients ...client) *user {
	t.Helper()
	if os.Getenv("NODE22") == "" {
		t.Skip("SKIPPED: the real clients are not installed here: run make test-clients")
	}
	t.Parallel()
	root := clientFolder(t)
	u := &user{T: t, home: filepath.Join(root, "home"), project: filepath.Join(root, "project")}
	for _, dir := range []string{u.home, u.project} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	readme := filepath.Join(u.project, "README.md")
	if err := os.WriteFile(readme, []byte("# A project\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.env = []string{"HOME=" + u.home, "PATH=" + os.Getenv("PATH"), "TERM=dumb", "LANG=C.UTF-8", "CLAUDE_CODE_TMPDIR=" + root}
	// A hook gives up within a fraction of a second rather than delay its client. In
	// these tests it must report even on a busy machine.
	u.write(".config/bridge/config.toml", "[hook]\ntime_limit = \"30s\"\n")
	for _, c := range clients {
		if c.program == cline.program {
			u.aloneAtHub()
		}
		if _, err := exec.LookPath(c.program); err != nil {
			t.Skipf("SKIPPED: %s is not installed: run make test-clients", c.program)
		}
		u.env = append(u.env, c.quiet...)
		for name, text := range c.settings {
			u.write(name, text)
		}
	}
	return u
}

// clientFolder returns a folder that is removed after the test. Background processes of
// a client may still write to it for a moment after they were told to end. It is then
// not empty when it is removed, which t.TempDir would report as a failure.
func clientFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bridge-clients-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var err error
		bridgetest.Polled(func() bool { err = os.RemoveAll(dir); return err == nil })
		if err != nil {
			t.Errorf("a client still writes: %v", err)
		}
	})
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// write writes a file in the home folder.
func (u *user) write(name, text string) {
	u.Helper()
	path := filepath.Join(u.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		u.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		u.Fatal(err)
	}
}

// install connects the clients with the bridge, as a user would.
func (u *user) install(clients ...client) {
	u.Helper()
	for _, c := range clients {
		u.want(u.run(bridgeProgram, "install", c.program), "is connected")
	}
}

// run runs a program in the project and returns its output; its exit code does
// not matter.
func (u *user) run(program string, args ...string) string {
	u.Helper()
	ctx, cancel := context.WithTimeout(u.Context(), callTimeout)
	defer cancel()
	cmd := u.command(ctx, program, args...)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		u.Fatal(err)
	}
	return string(out)
}

// command returns a program in the project, whose processes are ended with ctx.
func (u *user) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = u.project, u.env
	cmd.WaitDelay = 5 * time.Second // for the processes that the killed program leaves behind
	return cmd
}

// want checks that a text contains a part.
func (u *user) want(text, part string) {
	u.Helper()
	if !strings.Contains(text, part) {
		u.Errorf("%q is not in:\n%s", part, text)
	}
}

// await waits until a condition is true.
func (u *user) await(what string, is func() bool) {
	u.Helper()
	bridgetest.Eventually(u, what, is)
}
