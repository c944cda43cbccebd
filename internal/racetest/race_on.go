//go:build race

package racetest

// On is whether the race detector watches. It takes memory of its own, and a program
// that it is built into starts slowly.
const On = true
