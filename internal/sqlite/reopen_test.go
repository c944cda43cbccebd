//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite/storefile"
)

// TestOpenWhileTheLastCloses checks that a process that opens the store while the last
// one closes it does not report the store as gone, although closing removes the log and
// its index.
func TestOpenWhileTheLastCloses(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	times := 150
	if testing.Short() {
		times = 40
	}
	all := make([]*child, 3)
	for i := range all {
		all[i] = start(t, "reopen", e.Path, strconv.Itoa(times))
	}
	for _, c := range all {
		c.begin(t)
	}
	for _, c := range all {
		c.lines(t)
	}
}

// reopenChild opens and closes a store a given number of times.
func reopenChild(args []string) error {
	awaitBegin()
	times, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for n := range times {
		_, store, err := openChild(args[0], nil)
		if err == nil {
			err = store.Close()
		}
		if err != nil {
			return fmt.Errorf("time %d: %w", n, err)
		}
	}
	return nil
}

// TestOpenWhileTheIndexIsMadeAnew checks that a process which opens a store while
// another one rebuilds the log's index does not report the log as lost. The first
// process that opens a store after one that was killed, or that only read, truncates
// the left-over index and fills it again (unixLockSharedMemory in SQLite's os_unix.c).
func TestOpenWhileTheIndexIsMadeAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bridge.db")
	must(t, os.WriteFile(path+"-wal", make([]byte, 32), 0o600))
	refilling := start(t, "refill", path+"-shm")
	if got := refilling.line(t); got != "begun" {
		t.Fatal(got)
	}
	for n := range 4_000 {
		release, err := storefile.CheckRunning(path)
		release()
		if err != nil {
			t.Fatalf("time %d: %v", n, err)
		}
	}
	refilling.begin(t)
	refilling.lines(t)
}

// refillChild holds the lock that marks an index as in use, and truncates and refills
// the index until stdin ends.
func refillChild(args []string) error {
	index, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer index.Close() //nolint:errcheck // the file is discarded
	alive := unix.Flock_t{Type: unix.F_RDLCK, Start: 128, Len: 1}
	if err := unix.FcntlFlock(index.Fd(), unix.F_SETLK, &alive); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { awaitBegin(); close(ended) }()
	fmt.Println("begun")
	for {
		select {
		case <-ended:
			return nil
		default:
			if err := errors.Join(index.Truncate(3), index.Truncate(32<<10)); err != nil {
				return err
			}
		}
	}
}
