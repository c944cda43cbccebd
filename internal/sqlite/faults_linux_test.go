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

// everyFault tries each single system call rather than a sample: minutes.
var everyFault = flag.Bool("sqlite.every-fault", false, "inject a fault at every system call, not at a sample of them")

// answerWithin is how long a process with a fault may take to answer: longer than it
// waits for any lock.
const answerWithin = 3 * time.Minute

// injected runs faultyChild under strace with a fault, and returns what it
// printed and its exit code, -1 where it was killed. Where there were fewer such
// calls, nothing was injected.
//
// Faults hit calls on the store's files only; a kill may hit any, because that
// does the program's own loader no other harm.
func injected(t *testing.T, call, fault string, when int, args ...string) (out string, code int, hit bool) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("MISSING: strace, which injects faults into system calls")
	}
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
			t.Skipf("MISSING: leave to trace processes: %s", exit.Stderr)
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

// fileCalls are the system calls that change files or open them.
var fileCalls = []string{
	"openat", "linkat", "unlinkat", "renameat,rename", "mkdirat,mkdir", "write", "pwrite64", "pread64", "fsync", "fdatasync",
	"ftruncate", "fchmod", "flock", "fcntl", "newfstatat", "fallocate", "mmap",
}

// skipShort leaves these tests to runs without -short: each of their faults starts
// a process under strace, which the race detector makes slower still.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED under -short: it starts hundreds of processes under strace")
	}
}

// step is how far apart the calls are that are tried: a sample, unless told otherwise.
func step(t *testing.T) int {
	t.Helper()
	if *everyFault {
		return 1
	}
	return 7
}

// maxCalls bounds the calls of one kind that are tried.
const maxCalls = 60

// atEachCall runs try for every kind of system call, several at the same time, and
// returns the sum of what it returned.
func atEachCall(t *testing.T, try func(t *testing.T, call string) int) int {
	t.Helper()
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

// TestFirstStartKilledAtEachSystemCall: whatever a killed first start has left,
// the next one finishes, and nothing stays behind.
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

// startAgain starts on what is there as `bridge serve` does, and uses it.
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

// TestMigrationKilledAtEachSystemCall: a migration is done whole or not at all.
func TestMigrationKilledAtEachSystemCall(t *testing.T) {
	t.Parallel()
	skipShort(t)
	kills := 0
	for version := 1; version < sqlite.SchemaVersion(); version++ {
		kills += atEachCall(t, func(t *testing.T, call string) int { return migrationsKilledAt(t, version, call) })
		if !*everyFault {
			break // the oldest goes through all migrations
		}
	}
	t.Logf("%d migrations were killed", kills)
}

// migrationsKilledAt kills migrations from a version at one kind of call, some of its
// calls, and returns how many that were.
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

// TestFaultsAtSystemCalls: whichever call fails, the answer says what it was; what
// was acknowledged is there, and what is said not to have been stored is not, even
// if the process is killed right behind the answer.
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

// TestSignalsBetweenSystemCalls: who looks whether a file is still the store's looks
// again after a signal. Each such call is interrupted, the first ones too: how many
// there are depends on the time that a start takes.
func TestSignalsBetweenSystemCalls(t *testing.T) {
	t.Parallel()
	skipShort(t)
	if faults := faultsAt(t, "EINTR", "newfstatat", 1); faults < 5 {
		t.Errorf("only %d calls were interrupted", faults)
	}
}

// faultsAt lets one kind of call fail, some of its calls, each in a process of its own,
// and returns how many that were.
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
