// Package racetest leaves tests out where the race detector watches.
package racetest

import "testing"

// Skip skips a long test in which nothing runs at the same time, or only in other
// programs: the race detector finds nothing there, and the test runs without it.
func Skip(t testing.TB) {
	t.Helper()
	if On {
		t.Skip("SKIPPED under the race detector: nothing runs at the same time")
	}
}
