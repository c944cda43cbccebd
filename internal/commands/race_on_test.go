//go:build race

package commands_test

// raceEnabled: with the race detector each sandbox takes seconds to start.
const raceEnabled = true
