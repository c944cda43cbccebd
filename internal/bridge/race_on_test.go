//go:build race

package bridge_test

// raceEnabled: with the race detector each sandbox takes seconds to start.
const raceEnabled = true
