//go:build race

package cli_test

// raceEnabled: the race detector multiplies the memory of what it watches.
const raceEnabled = true
