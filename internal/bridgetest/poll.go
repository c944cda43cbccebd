package bridgetest

import (
	"testing"
	"time"
)

// PollTimeout only ends what would hang forever. It is long, so that nothing fails
// because a busy machine is slow.
const PollTimeout = 2 * time.Minute

// pollEvery is the time between two checks of the state of another process that
// cannot signal changes.
const pollEvery = 5 * time.Millisecond

// Polled waits until a condition is true, and reports whether it became so. Use it only
// if there is no channel, file or doorbell to wait for.
func Polled(condition func() bool) bool {
	for deadline := time.Now().Add(PollTimeout); !condition(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// Eventually is Polled, but fails the test on timeout.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !Polled(condition) {
		t.Fatalf("timed out while waiting for %s", what)
	}
}
