//go:build race

package racetest

// On reports whether the race detector is enabled. It needs additional memory, and
// makes programs start slowly.
const On = true
