// Package racetest skips tests under the race detector.
package racetest

import "testing"

// Skip skips a long test without concurrency, or with concurrency only in other
// programs. The race detector would find nothing in it, and the test also runs
// without the detector.
func Skip(t testing.TB) {
	t.Helper()
	if On {
		t.Skip("SKIPPED under the race detector: nothing runs at the same time")
	}
}
