//go:build !race

package racetest

// On is whether the race detector watches.
const On = false
