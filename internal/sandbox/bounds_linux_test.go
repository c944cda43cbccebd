package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

func owner(info os.FileInfo) [2]uint32 {
	st := info.Sys().(*syscall.Stat_t)
	return [2]uint32{st.Uid, st.Gid}
}

// stubborn starts processes that leave their group, session and parent, ignore
// signals, and keep the lifeline open.
const stubborn = `
	exec 3>in/lifeline
	setsid bash -c '(trap "" TERM HUP INT; echo up >&3; while :; do sleep 1000; done) & disown' &
	(setsid setsid bash -c 'trap "" TERM; (echo up >&3; touch in/up; exec sleep 1000) &') &
	trap "" TERM; until [ -e in/up ]; do sleep 0.01; done`

// awaitEnd reads the lifeline to its end, after the start has been reported.
func awaitEnd(t *testing.T, f *os.File) {
	t.Helper()
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Error(err)
	}
}

func TestNothingOutlivesTheCommand(t *testing.T) {
	racetest.Skip(t)
	ends := []struct {
		name, script string
		timeout      time.Duration
		cancel       bool
	}{
		{name: "its own end", script: stubborn + "\nwait", timeout: time.Minute},
		{name: "timeout", script: stubborn + "\nwhile :; do sleep 1000; done", timeout: 2 * time.Second},
		{name: "cancel", script: stubborn + "\nwhile :; do sleep 1000; done", timeout: time.Minute, cancel: true},
	}
	eachBackend(t, bounding, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for _, end := range ends {
			t.Run(end.name, func(t *testing.T) {
				ws := t.TempDir()
				fifo := lifeline(t, ws)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				type answer struct {
					res sandbox.Result
					err error
				}
				done := make(chan answer, 1)
				go func() {
					res, err := sandbox.Run(ctx, bash(end.script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Timeout: end.timeout})
					done <- answer{res, err}
				}()
				opened := make(chan *os.File, 1)
				go func() { // waits for the first writer
					f, err := os.Open(fifo)
					if err != nil {
						t.Error(err)
					}
					opened <- f
				}()
				var f *os.File
				select {
				case f = <-opened:
				case a := <-done:
					t.Fatalf("it ended before it began: %+v, %v", a.res, a.err)
				}
				defer closing(t, f)
				if line := readLine(f); line != "up" {
					t.Errorf("read %q", line)
				}
				if end.cancel {
					cancel()
				}
				awaitEnd(t, f)
				a := <-done
				switch {
				case end.cancel && !errors.Is(a.err, context.Canceled):
					t.Errorf("cancelled, and got %+v, %v", a.res, a.err)
				case !end.cancel && a.err != nil:
					t.Errorf("%v (%s)", a.err, a.res.Stderr)
				}
				if want := end.timeout == 2*time.Second; a.res.TimedOut != want || want && a.res.ExitCode != 124 {
					t.Errorf("timed out %v, status %d", a.res.TimedOut, a.res.ExitCode)
				}
			})
		}
	})
}

func TestNothingOutlivesTheServer(t *testing.T) {
	racetest.Skip(t)
	eachBackend(t, bounding, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := t.TempDir()
		fifo := lifeline(t, ws)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		server := exec.Command(self, "attack", "serve", ws, string(b), stubborn+"\nwhile :; do sleep 1000; done")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(fifo)
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, f)
		if line := readLine(f); line != "up" {
			t.Errorf("read %q", line)
		}
		killed := time.Now()
		if err := server.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = server.Wait()
		awaitEnd(t, f)
		t.Logf("everything was dead %s after the server", time.Since(killed).Round(time.Millisecond))
		// The supervisor cleans up last, and the next run waits for its lock.
		run(t, bash("true"), sandbox.Options{Workspace: ws, Backend: b, Writable: true})
		if got := names(t, ws); len(got) != 1 {
			t.Errorf("left behind in the workspace: %q", got)
		}
	})
}

func TestForkBomb(t *testing.T) {
	racetest.Skip(t)
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := t.TempDir()
		res, err := sandbox.Run(t.Context(), bash(`bomb() { bomb | bomb & }; bomb; while :; do sleep 1000; done`),
			sandbox.Options{Workspace: ws, Backend: b, PIDs: 100, Timeout: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !res.TimedOut && res.Exceeded != "processes" {
			t.Errorf("%d, %q", res.ExitCode, res.Exceeded)
		}
	})
}

// TestEndlessOutput checks that output beyond the limit is read and dropped.
// SANDBOX_OUTPUT is how many bytes are written (make test-long writes 10 GB).
func TestEndlessOutput(t *testing.T) {
	racetest.Skip(t)
	written := int64(500_000_000)
	if more, err := strconv.ParseInt(os.Getenv("SANDBOX_OUTPUT"), 10, 64); err == nil {
		written = more
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		script := fmt.Sprintf("head -c %d /dev/zero; echo end >&2", written)
		res := run(t, bash(script), sandbox.Options{Backend: b, OutputLimit: 1000, Timeout: 5 * time.Minute})
		if len(res.Stdout) != 1000 || !res.Truncated || string(res.Stderr) != "end\n" || res.ExitCode != 0 {
			t.Errorf("kept %d bytes, truncated %v, stderr %q, status %d", len(res.Stdout), res.Truncated, res.Stderr, res.ExitCode)
		}
	})
}

func TestMemoryLimit(t *testing.T) {
	racetest.Skip(t)
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		ws := workspaceWithAttacks(t)
		one := filepath.Join(ws, "attack") + " attack alloc"
		t.Run("one process", func(t *testing.T) {
			res := run(t, bash(one), sandbox.Options{Workspace: ws, Backend: b, Memory: 512 << 20})
			if res.ExitCode != 7 && res.Exceeded != "memory" && res.ExitCode != 2 {
				t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
			}
		})
		t.Run("many processes", func(t *testing.T) {
			script := "for i in 1 2 3 4 5 6; do python3 -c 'b=bytearray(200<<20); import time; time.sleep(1000)' & done; wait"
			res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Memory: 512 << 20})
			if res.Exceeded != "memory" {
				t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
			}
		})
	})
}

// TestOtherProcessesAreOutOfReach checks that a command can neither kill nor see
// a process outside the box, even one of the same user.
func TestOtherProcessesAreOutOfReach(t *testing.T) {
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		bystander := exec.Command("/bin/sleep", "1000")
		if os.Geteuid() == 0 {
			bystander.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		if err := bystander.Start(); err != nil {
			t.Fatal(err)
		}
		pid := bystander.Process.Pid
		before, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid)
		if err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf(`for p in %d %d; do kill -9 $p; kill -STOP $p; renice 19 $p; done
			prlimit --pid %[1]d --fsize=0; renice -n 19 -u nobody; kill -9 -1`, pid, os.Getpid())
		_, err = sandbox.Run(t.Context(), bash(script), sandbox.Options{Workspace: t.TempDir(), Backend: b})
		// Without a PID namespace, the last signal also kills the init.
		if err != nil && (b != sandbox.Landlock || !errors.Is(err, sandbox.ErrKilled)) {
			t.Error(err)
		}
		if limits := read(t, fmt.Sprintf("/proc/%d/limits", pid)); !strings.Contains(limits, "Max file size             unlimited") {
			t.Errorf("the bystander's limits are %s", limits)
		}
		if prio, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid); err != nil || prio != before {
			t.Errorf("the bystander's priority is %d, %v; it was %d", 20-prio, err, 20-before)
		}
		// A signal to a process that has died but was not yet waited for succeeds
		// too. The signal that ended it shows who killed it.
		if err := bystander.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = bystander.Wait()
		if st := bystander.ProcessState.Sys().(syscall.WaitStatus); st.Signal() != syscall.SIGTERM {
			t.Errorf("the bystander was killed from inside: %v", bystander.ProcessState)
		}
	})
}

// TestSharedMemoryLimit checks that memory which belongs to no single process
// counts towards the limit.
func TestSharedMemoryLimit(t *testing.T) {
	racetest.Skip(t)
	python := func(script string) string { return "python3 -c '" + script + "'" }
	const memfd = `import os, time
for i in range(8):
    f = os.memfd_create("x")
    for j in range(16): os.write(f, b"x" * (8 << 20))
time.sleep(1000)`
	const inherited = `import os, time
f = [os.memfd_create("x") for i in range(8)]
for g in f:
    os.ftruncate(g, 128 << 20)
    for j in range(128): os.pwrite(g, b"x" * (1 << 20), j << 20)
time.sleep(1000)`
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		scripts := map[string]string{"anonymous files": python(memfd), "held open": python(inherited)}
		if b == sandbox.Bubblewrap {
			scripts["files in memory"] = "for d in /tmp /dev/shm; do for i in 1 2 3 4 5 6; do head -c 50M /dev/zero >$d/$i; done; done; ls /tmp /dev/shm | wc -l; sleep 1000 & b=$(head -c 200M /dev/zero | tr '\\0' x); wait"
		}
		for name, script := range scripts {
			t.Run(name, func(t *testing.T) {
				res := run(t, bash(script), sandbox.Options{Backend: b, Memory: 512 << 20})
				if res.Exceeded != "memory" {
					t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
				}
			})
		}
	})
}

// TestGrowthLimit checks that the amount a command adds to the workspace is
// limited, however many files it uses, and also for files without a name.
func TestGrowthLimit(t *testing.T) {
	racetest.Skip(t)
	scripts := map[string]string{
		"one file":    "head -c 300M /dev/zero >in/big; exit 0", // the kernel stops the write
		"many files":  "for i in $(seq 40); do head -c 8M /dev/zero >in/$i; done; sleep 1000",
		"too deep":    "cd in; d=$(printf 'a%.0s' {1..250}); for i in {1..17}; do mkdir $d && cd -P $d; done; for i in $(seq 40); do head -c 8M /dev/zero >$i; done; sleep 1000",
		"without one": "exec 3>in/x; rm in/x; for i in $(seq 40); do head -c 3M /dev/zero >&3; done; exec 4>in/y; rm in/y; for i in $(seq 40); do head -c 3M /dev/zero >&4; done; sleep 1000",
	}
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		for name, script := range scripts {
			t.Run(name, func(t *testing.T) {
				ws := t.TempDir()
				write(t, filepath.Join(ws, "in", "keep"), "")
				t.Cleanup(func() { shorten(t, filepath.Join(ws, "in")) })
				res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Growth: 128 << 20, Timeout: 2 * time.Minute})
				ended := res.Exceeded == "disk" || name == "one file" && res.ExitCode == 0
				if !ended {
					t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
				}
				if info, err := os.Stat(filepath.Join(ws, "in", "big")); err == nil && info.Size() > 128<<20 {
					t.Errorf("the file has %d bytes", info.Size())
				}
			})
		}
	})
}

// TestGrowthBesideOthers checks that space which others free on the same disk
// does not allow a command more, and that space which the command frees itself
// does.
func TestGrowthBesideOthers(t *testing.T) {
	racetest.Skip(t)
	const mib = 1 << 20
	eachBackend(t, confining, func(t *testing.T, b sandbox.Backend) {
		t.Helper()
		t.Run("others make room", func(t *testing.T) {
			ws := t.TempDir()
			ballast := filepath.Join(t.TempDir(), "ballast")
			fill(t, ballast, 512*mib)
			// Opening a pipe for writing waits until the command has opened it
			// for reading.
			pipe := filepath.Join(in(t, ws), "go")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			go func() {
				if f, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
					_ = os.Remove(ballast)
					_, _ = f.WriteString("on\n")
					_ = f.Close()
				}
			}()
			script := "cd in; read on <go; for i in $(seq 40); do head -c 8M /dev/zero >$i; done; sleep 1000"
			res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Growth: 128 * mib, Timeout: 2 * time.Minute})
			if res.Exceeded != "disk" {
				t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
			}
		})
		t.Run("what was there is written again", func(t *testing.T) {
			ws := t.TempDir()
			for i := range 4 {
				fill(t, filepath.Join(in(t, ws), strconv.Itoa(i)), 64*mib)
			}
			// Long enough for several counts, even on a busy machine.
			script := "cd in; for n in 1 2 3; do rm ?; for i in 0 1 2 3; do head -c 64M /dev/zero >$i; done; sleep 1; done; chmod 600 ?; ln 1 name; cp 1 copy"
			res := run(t, bash(script), sandbox.Options{Workspace: ws, Backend: b, Writable: true, Growth: 128 * mib, Timeout: 2 * time.Minute})
			if res.Exceeded != "" || res.ExitCode != 0 {
				t.Errorf("status %d, exceeded %q: %s%s", res.ExitCode, res.Exceeded, res.Stdout, res.Stderr)
			}
		})
	})
}

// in returns the folder "in" of a workspace, and creates it if necessary.
func in(t *testing.T, ws string) string {
	t.Helper()
	dir := filepath.Join(ws, "in")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fill makes a file that takes up size bytes on the disk.
func fill(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Fatal(err)
	}
}
