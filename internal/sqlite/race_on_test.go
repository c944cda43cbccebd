//go:build race

package sqlite_test

// raceEnabled: the race detector multiplies the memory of what it watches.
const raceEnabled = true
