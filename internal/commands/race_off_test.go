//go:build !race

package commands_test

// raceEnabled is set with the race detector.
const raceEnabled = false
