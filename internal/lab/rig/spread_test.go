package rig_test

import (
	"testing"

	"example.org/bridge/internal/lab/rig"
)

// numbers returns 1 to n in random order.
func numbers(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[(i*7)%n] = float64(i + 1)
	}
	return values
}

func TestSpread(t *testing.T) {
	for name, tt := range map[string]struct {
		values []float64
		want   rig.Spread
	}{
		"one":            {[]float64{3}, rig.Spread{P50: 3, P90: 3, P99: 3, Max: 3}},
		"two":            {[]float64{9, 1}, rig.Spread{P50: 1, P90: 9, P99: 9, Max: 9}},
		"ten":            {numbers(10), rig.Spread{P50: 5, P90: 9, P99: 10, Max: 10}},
		"a hundred":      {numbers(100), rig.Spread{P50: 50, P90: 90, P99: 99, Max: 100}},
		"a thousand":     {numbers(1000), rig.Spread{P50: 500, P90: 900, P99: 990, Max: 1000}},
		"a single spike": {[]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 80}, rig.Spread{P50: 1, P90: 1, P99: 80, Max: 80}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rig.SpreadOf(tt.values); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
