package bridgetest

import (
	"testing"
	"time"
)

// PollTimeout ends only what would hang forever: on a busy machine nothing may fail
// because it was slow.
const PollTimeout = 2 * time.Minute

// pollEvery is how often the state of another process is looked at, where that
// process has no way to tell of it.
const pollEvery = 5 * time.Millisecond

// Polled waits for a condition and reports whether it became true. It is for what has no
// channel, file or doorbell to wait at.
func Polled(condition func() bool) bool {
	for deadline := time.Now().Add(PollTimeout); !condition(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// Eventually is Polled for a test that fails without it.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !Polled(condition) {
		t.Fatalf("timed out while waiting for %s", what)
	}
}
