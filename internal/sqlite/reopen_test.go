//go:build unix

package sqlite_test

import (
	"fmt"
	"strconv"
	"testing"

	"example.org/bridge/internal/bridgetest"
)

// TestOpenWhileTheLastCloses: the last process that closes a store removes the log
// and its index. Who opens the store at that moment must not take that for a
// store that was taken away from those that run.
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

// reopenChild opens and closes a store so many times.
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

// skipUnderRace is for long tests that do one thing after the other in one
// goroutine: the race detector finds nothing in them, and they run without it.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("SKIPPED under the race detector: nothing runs at the same time")
	}
}
