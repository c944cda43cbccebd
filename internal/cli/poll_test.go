package cli_test

import (
	"testing"
	"time"
)

// timeout ends only what would hang forever: on a busy machine nothing may fail
// because it was slow.
const timeout = time.Minute

// pollEvery is how often the state of another process is looked at, where that
// process has no way to tell of it.
const pollEvery = 5 * time.Millisecond

// polled waits for a condition and reports whether it became true.
func polled(condition func() bool) bool {
	for deadline := time.Now().Add(timeout); !condition(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// eventually is polled for a test that fails without it.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !polled(condition) {
		t.Fatalf("timed out while waiting for %s", what)
	}
}
