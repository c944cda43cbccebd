package sqlite_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// everyFault injects a fault into every system call instead of a sample, which takes
// minutes.
var everyFault = flag.Bool("sqlite.every-fault", false, "inject a fault at every system call, not at a sample of them")

// answerWithin is how long a process with an injected fault may take to answer. It is
// longer than the process waits for any lock.
const answerWithin = 3 * time.Minute

// injected runs faultyChild under strace with a fault injected into the given call. It
// returns what the child printed, its exit code (-1 if it was killed), and whether the
// fault was injected; it is not if there were fewer such calls.
//
// Errors are injected only into calls on the store's files. Kills are injected into any
// call, since they cannot make the program's own startup misbehave.
func injected(t *testing.T, call, fault string, when int, args ...string) (out string, code int, hit bool) {
	t.Helper()
	strace := needStrace(t)
	log := filepath.Join(t.TempDir(), "strace")
	var only []string
	if strings.HasPrefix(fault, "error=") {
		for _, name := range []string{"", "/bridge.key", "/bridge.db", "/bridge.db-wal", "/bridge.db-shm", "/bridge.db-turn", "/bridge.db-queue", "/bridge.db-journal"} {
			only = append(only, "-P", filepath.Dir(args[0])+name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), answerWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, strace, append(append(only,
		"-f", "-qq", "-o", log, "-e", "trace="+call, "-e", "signal=none",
		"-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, when), os.Args[0]),
		args...)...)
	cmd.Env = append(os.Environ(), childEnv+"=faulty", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	cmd.WaitDelay = time.Second
	text, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Errorf("%s at call %d of %s: no answer within %s", fault, when, call, answerWithin)
		return string(text), 0, false
	case err == nil:
	case errors.As(err, &exit):
		code = exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			code = -1
		}
		if strings.Contains(string(exit.Stderr), "strace:") && strings.Contains(string(exit.Stderr), "attach") {
			t.Skipf("MISSING: permission to trace processes: %s", exit.Stderr)
		}
	default:
		t.Fatal(err)
	}
	trace, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), code, code == -1 || strings.Contains(string(trace), "INJECTED")
}

// fileCalls are the system calls that open or change files.
var fileCalls = []string{
	"openat", "linkat", "unlinkat", "renameat,rename", "mkdirat,mkdir", "write", "pwrite64", "pread64", "fsync", "fdatasync",
	"ftruncate", "fchmod", "flock", "fcntl", "newfstatat", "fallocate", "mmap",
}

// skipShort skips these tests under -short: each fault starts a process under strace,
// which is slower still under the race detector.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED under -short: it starts hundreds of processes under strace")
	}
}

// step is the distance between the calls that get a fault: a sample unless
// -sqlite.every-fault is given.
func step(t *testing.T) int {
	t.Helper()
	if *everyFault {
		return 1
	}
	return 7
}

// maxCalls bounds how many calls of one kind get a fault.
const maxCalls = 60

// needStrace returns the path of strace, and skips the test where there is none.
func needStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("MISSING: strace, which injects faults into system calls")
	}
	return path
}

// atEachCall runs try for each kind of system call, several in parallel, and returns the
// sum of the results.
func atEachCall(t *testing.T, try func(t *testing.T, call string) int) int {
	t.Helper()
	needStrace(t) // or all calls are skipped, and the caller finds that nothing happened
	var sum atomic.Int64
	t.Run("calls", func(t *testing.T) {
		for _, call := range fileCalls {
			t.Run(call, func(t *testing.T) {
				t.Parallel()
				sum.Add(int64(try(t, call)))
			})
		}
	})
	return int(sum.Load())
}

// TestFirstStartKilledAtEachSystemCall checks that the next start completes whatever a
// killed first start has left, and that no files are left over.
func TestFirstStartKilledAtEachSystemCall(t *testing.T) {
	t.Parallel()
	skipShort(t)
	kills := atEachCall(t, func(t *testing.T, call string) (kills int) {
		for when := 1; when <= maxCalls; when += step(t) {
			dir := filepath.Join(t.TempDir(), "state")
			path := filepath.Join(dir, "bridge.db")
			if _, code, _ := injected(t, call, "signal=KILL", when, path); code != -1 {
				break
			}
			kills++
			if err := startAgain(path); err != nil {
				t.Errorf("killed at call %d of %s: %v", when, call, err)
			}
			if left, _ := fs.Glob(os.DirFS(dir), ".bridge-*"); len(left) > 0 {
				t.Errorf("killed at call %d of %s: %v is left", when, call, left)
			}
		}
		return kills
	})
	if kills < len(fileCalls) && *everyFault {
		t.Errorf("only %d kills", kills)
	}
	t.Logf("%d first starts were killed", kills)
}

// startAgain starts on the existing files as `bridge serve` does, and uses the store.
func startAgain(path string) error {
	s, store, err := openChild(path, nil)
	if err != nil {
		return err
	}
	_, err = s.Create(context.Background(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
	if err == nil {
		_, err = s.VerifyAudit(context.Background(), audit.Head{})
	}
	return errors.Join(err, store.Close())
}

// TestMigrationKilledAtEachSystemCall checks that a migration takes place completely or
// not at all.
func TestMigrationKilledAtEachSystemCall(t *testing.T) {
	t.Parallel()
	skipShort(t)
	kills := 0
	for version := 1; version < sqlite.SchemaVersion(); version++ {
		kills += atEachCall(t, func(t *testing.T, call string) int { return migrationsKilledAt(t, version, call) })
		if !*everyFault {
			break // the oldest version goes through all migrations
		}
	}
	t.Logf("%d migrations were killed", kills)
}

// migrationsKilledAt kills migrations from a version at some of the calls of one kind, and
// returns how many were killed.
func migrationsKilledAt(t *testing.T, version int, call string) (kills int) {
	t.Helper()
	for when := 1; when <= maxCalls; when += step(t) {
		e := bridgetest.NewEnv(t)
		must(t, sqlite.CreateVersion(e.Path, e.Key, version))
		if _, code, _ := injected(t, call, "signal=KILL", when, e.Path); code != -1 {
			break
		}
		kills++
		if err := startAgain(e.Path); err != nil {
			t.Errorf("version %d, killed at call %d of %s: %v", version, when, call, err)
		}
	}
	return kills
}

// TestFaultsAtSystemCalls checks that whichever system call fails, the answer says what
// failed, acknowledged messages are stored, and messages reported as not stored are
// not, even if the process is killed right after the answer.
func TestFaultsAtSystemCalls(t *testing.T) {
	t.Parallel()
	skipShort(t)
	errnos := []string{"EIO", "ENOSPC", "EMFILE", "ENOMEM", "EROFS", "ENOLCK", "EDQUOT", "EACCES", "EINTR"}
	between := step(t)
	if !*everyFault {
		errnos = errnos[:2]
	}
	faults := 0
	for _, errno := range errnos { // each can be run alone
		t.Run(errno, func(t *testing.T) {
			here := atEachCall(t, func(t *testing.T, call string) int { return faultsAt(t, errno, call, between) })
			t.Logf("%d faults of %s", here, errno)
			faults += here
		})
	}
	t.Logf("%d faults were injected", faults)
}

// TestSignalsBetweenSystemCalls checks that a file check interrupted by a signal is
// repeated. Every such call is interrupted, including the first ones, because their
// number depends on how long a start takes.
func TestSignalsBetweenSystemCalls(t *testing.T) {
	t.Parallel()
	skipShort(t)
	if faults := faultsAt(t, "EINTR", "newfstatat", 1); faults < 5 {
		t.Errorf("only %d calls were interrupted", faults)
	}
}

// faultsAt injects an error into some of the calls of one kind, each in its own
// process, and returns how many were injected.
func faultsAt(t *testing.T, errno, call string, between int) (faults int) {
	t.Helper()
	for when := 1; when <= maxCalls; when += between {
		e := bridgetest.NewEnv(t)
		p := closedPair(t, e)
		out, code, hit := injected(t, call, "error="+errno, when, arguments(e, p.A)...)
		if !hit {
			break
		}
		faults++
		checkAfterFault(t, fmt.Sprintf("%s at call %d of %s", errno, when, call), e.Path, p, out, code)
	}
	return faults
}

func checkAfterFault(t *testing.T, name, path string, p bridgetest.Pair, out string, code int) {
	t.Helper()
	if code != 0 && code != exitExplained {
		t.Errorf("%s: exit code %d: %s", name, code, out)
	}
	s, store, err := openChild(path, nil)
	if err != nil {
		t.Errorf("%s: the next start: %v", name, err)
		return
	}
	defer func() { must(t, store.Close()) }()
	messages, err := s.Messages(t.Context(), p.A.Conversation, 0, 100)
	must(t, err)
	stored := strings.Count("\n"+out, "\nstored ")
	if len(messages) != stored && (len(messages) != stored+1 || !strings.Contains(out, "unknown")) {
		t.Errorf("%s: %d messages are there after: %s", name, len(messages), out)
	}
}
