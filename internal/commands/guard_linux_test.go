package commands_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/guardtest"
	"example.org/bridge/internal/guard/policy"
	"example.org/bridge/internal/guard/table"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// canary is part of every file that no command may read.
const canary = "canary-7d1f4c"

// testHome is a home folder with a project and secrets around it.
type testHome struct{ home, workspace string }

func newTestHome(t *testing.T) testHome {
	t.Helper()
	// Not in /tmp, because a sandbox has its own /tmp, and the secrets must be visible.
	base, err := os.MkdirTemp("/var/tmp", "bridge-home-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	l := testHome{home: filepath.Join(base, "home", "user")}
	l.workspace = filepath.Join(l.home, "projects", "myapp")
	files := map[string]string{
		".ssh/id_rsa": canary, ".aws/credentials": canary, "notes": canary, "x": canary,
		"projects/x": canary, "projects/myappx/secret": canary, "projects/secret": canary,
		"projects/myapp/README.md": "read me\n", "projects/myapp/src/a.go": "package a\n", "projects/myapp/f": "f\n",
		"projects/myapp/x": "x\n", "projects/myapp/-x": "dash\n", "projects/myapp/a b": "space\n", "projects/myapp/.git/config": "[core]\n",
		"projects/myapp/10k": "", "projects/myapp/sh": "#!/bin/sh\ntouch started\n",
	}
	for name, text := range files {
		path := filepath.Join(l.home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "../../.ssh", "inner": "src", "file.go": "../secret"} {
		if err := os.Symlink(target, filepath.Join(l.workspace, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(l.workspace, "sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	return l
}

// command makes a random command about this home folder. A listener of the test uses
// the given port.
func (l testHome) command(r *rand.Rand, programs []string, port string) string {
	return strings.NewReplacer("/home/user/projects/myapp", l.workspace, "/home/user", l.home, guardtest.Port, port).
		Replace(guardtest.Command(r, programs))
}

func (l testHome) decide(mode guard.Mode, command string) guard.Decision {
	return policy.Decide(mode, command, guard.Context{
		Workspace: l.workspace, Home: l.home, LookPath: commands.FindProgram,
		StateDirs: []string{filepath.Join(l.home, ".local", "state", "bridge")},
	})
}

// state describes the files below the home folder as far as a command can change them.
// It leaves out access times, and the modification times of folders, because the
// sandbox itself creates files in some of them.
func (l testHome) state(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(l.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		if info.Mode().IsRegular() {
			what += fmt.Sprintf(" %d %s", info.Size(), info.ModTime())
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" %x", sha256.Sum256(text))
		}
		all[path] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// leftovers returns the processes that still run in the workspace.
func (l testHome) leftovers(t *testing.T) (left []string) {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if target, err := os.Readlink(folder); err == nil && strings.HasPrefix(target, l.home) {
			left = append(left, folder)
		}
	}
	return left
}

// batch is a list of accepted commands that run one after the other in one sandbox.
type batch struct {
	list     sandbox.List
	stages   int
	commands []string
}

// maxBatch is below the maximum number of programs in one sandbox.
const maxBatch = 60

func (b *batch) add(t *testing.T, l testHome, command string, plan *guard.Plan) {
	t.Helper()
	list, err := commands.SandboxList(*plan, l.workspace, commands.Access{}, nil)
	if err != nil {
		t.Fatalf("%q: %v", command, err)
	}
	b.list = append(b.list, list...)
	b.commands = append(b.commands, command)
	for _, line := range list {
		b.stages += len(line.Stages)
	}
}

// run runs the batch and looks for effects that a harmless command cannot have.
func (b *batch) run(t *testing.T, l testHome, e *listener, before map[string]string, o sandbox.Options) {
	t.Helper()
	if len(b.list) == 0 {
		return
	}
	o.Workspace, o.Timeout = l.workspace, time.Minute
	ownNetwork := o.Backend == sandbox.Bubblewrap && !o.Network
	if ownNetwork {
		b.list = append(b.list, showTraffic(t)...)
	}
	result, err := sandbox.Run(t.Context(), b.list, o)
	if err != nil {
		t.Fatalf("%q: %v", b.commands, err)
	}
	if result.TimedOut || result.Exceeded != "" {
		t.Errorf("a command did not end by itself: %+v: %q", result, b.commands)
	}
	if bytes.Contains(append(result.Stdout, result.Stderr...), []byte(canary)) {
		t.Errorf("a command has read a secret: %q", b.commands)
	}
	if diff := cmp.Diff(before, l.state(t)); diff != "" {
		t.Errorf("a command has changed files: %q\n%s", b.commands, diff)
	}
	if left := l.leftovers(t); len(left) > 0 {
		t.Errorf("processes are left: %q after %q", left, b.commands)
	}
	if n := e.others(t); n > 0 || ownNetwork && result.ExitCode != 0 {
		t.Errorf("a command used the network, %d calls came, status %d: %q", n, result.ExitCode, b.commands)
	}
}

// TestAcceptedInSafeModeIsHarmless generates random commands and runs those that safe
// mode accepts. They run twice: once as the bridge runs them, and once in a sandbox
// that would allow writing to the workspace, reading all of the home folder and using
// the network, so that only the policy prevents it.
func TestAcceptedInSafeModeIsHarmless(t *testing.T) {
	accepted := 500
	if more, err := strconv.Atoi(os.Getenv("GUARD_COMMANDS")); err == nil {
		accepted = more // make test-long
	}
	for _, tt := range []struct {
		name    string
		part    int // one in this many of the commands
		options func(l testHome) sandbox.Options
	}{
		{"as the bridge runs them", 1, func(testHome) sandbox.Options { return sandbox.Options{Backend: sandbox.Bubblewrap} }},
		{"with Landlock", 5, func(testHome) sandbox.Options { return sandbox.Options{Backend: sandbox.Landlock} }},
		{"with nothing but the policy", 1, func(l testHome) sandbox.Options {
			return sandbox.Options{Backend: sandbox.Bubblewrap, Writable: true, ReadRoots: []string{l.home}, Network: true}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			needBackend(t, tt.options(testHome{}).Backend)
			accepted := accepted / tt.part
			l := newTestHome(t)
			e := listen(t, filepath.Join(l.workspace, "sock"))
			before := l.state(t)
			r := rand.New(rand.NewPCG(uint64(len(tt.name)), 7))
			batches, b := 0, &batch{}
			seen := map[string]bool{}
			for n := 0; n < accepted; {
				command := l.command(r, table.Programs(guard.ModeSafe), e.port)
				if seen[command] {
					continue
				}
				seen[command] = true
				d := l.decide(guard.ModeSafe, command)
				if !d.Allow {
					continue
				}
				n++
				b.add(t, l, command, d.Plan)
				if b.stages > maxBatch-10 || n == accepted {
					b.run(t, l, e, before, tt.options(l))
					b, batches = &batch{}, batches+1
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d of %d different commands were accepted and run, in %d sandboxes", accepted, len(seen), batches)
		})
	}
}

// TestHarmIsSeen checks that the test above can fail: it notices changed files.
func TestHarmIsSeen(t *testing.T) {
	needSandbox(t)
	l := newTestHome(t)
	before := l.state(t)
	result, err := sandbox.Run(t.Context(), sandbox.Program("/bin/sh", "-c", "echo more >> f; cat ../secret"),
		sandbox.Options{Workspace: l.workspace, Backend: sandbox.Bubblewrap, Writable: true, ReadRoots: []string{l.home}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(result.Stdout, []byte(canary)) || cmp.Equal(before, l.state(t)) {
		t.Errorf("reading a secret and changing a file are not seen: %+v", result)
	}
}

// TestCallIsSeen checks that the test above can fail: it notices network traffic.
func TestCallIsSeen(t *testing.T) {
	needSandbox(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skipf("MISSING: bash, which calls: %v", err)
	}
	l := newTestHome(t)
	e := listen(t, filepath.Join(l.workspace, "sock"))
	for _, tt := range []struct {
		name, call string
		network    bool
		heard      int64
		exitCode   int
	}{
		{"TCP", "echo x >/dev/tcp/127.0.0.1/" + e.port, true, 1, 0},
		{"UDP", "echo x >/dev/udp/127.0.0.1/" + e.port, true, 1, 0},
		{"TCP in a network of its own", "echo x >/dev/tcp/127.0.0.1/" + e.port, false, 0, trafficStatus},
		{"UDP in a network of its own", "echo x >/dev/udp/127.0.0.1/" + e.port, false, 0, trafficStatus},
		{"elsewhere, without a route", "echo x >/dev/udp/192.0.2.1/53", false, 0, trafficStatus},
		{"nothing", "true", false, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := e.others(t)
			list := sandbox.Program(bash, "-c", tt.call)
			if !tt.network {
				list = append(list, showTraffic(t)...)
			}
			result, err := sandbox.Run(t.Context(), list, sandbox.Options{
				Workspace: l.workspace, Backend: sandbox.Bubblewrap, Network: tt.network,
			})
			if err != nil {
				t.Fatal(err)
			}
			if heard := e.others(t) - before; heard != tt.heard || result.ExitCode != tt.exitCode {
				t.Errorf("heard %d calls, want %d; status %d, want %d: %s", heard, tt.heard, result.ExitCode, tt.exitCode, result.Stderr)
			}
		})
	}
}

func needSandbox(t *testing.T) {
	t.Helper()
	needBackend(t, sandbox.Bubblewrap)
}

func needBackend(t *testing.T, b sandbox.Backend) {
	t.Helper()
	if racetest.On {
		t.Skip("SKIPPED: with the race detector each sandbox takes seconds; run it without")
	}
	for _, status := range sandbox.Probe(t.Context(), sandbox.Options{}) {
		if status.Backend == b && status.Err != nil {
			t.Skipf("MISSING: %s does not work here: %v", b, status.Err)
		}
	}
}
