//go:build !race

package bridge_test

// raceEnabled is set with the race detector.
const raceEnabled = false
