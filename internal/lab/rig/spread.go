package rig

import (
	"math"
	"slices"
	"time"
)

// Spread describes the distribution of measured values, in their unit.
type Spread struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// SpreadOf sorts values, which must not be empty, and describes their distribution.
// Percentiles use the nearest-rank method, so each is a measured value. With fewer than 100
// values the 99th percentile is the maximum.
func SpreadOf(values []float64) Spread {
	slices.Sort(values)
	rank := func(percent float64) float64 {
		return values[int(math.Ceil(percent/100*float64(len(values))))-1]
	}
	return Spread{P50: rank(50), P90: rank(90), P99: rank(99), Max: values[len(values)-1]}
}

// Milliseconds converts a duration to milliseconds, with microseconds as decimals.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
