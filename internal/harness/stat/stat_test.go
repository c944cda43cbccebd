package stat_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/bridge/internal/harness/stat"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for _, tt := range []struct{ q, want float64 }{{0, 1}, {0.5, 2.5}, {1, 4}, {1.0 / 3, 2}} {
		near(t, "quantile", stat.Quantile(values, tt.q), tt.want)
	}
	if diff := cmp.Diff([]float64{4, 1, 3, 2}, values); diff != "" {
		t.Errorf("the values were moved (-want +got):\n%s", diff)
	}
	if !math.IsNaN(stat.Median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

// The probabilities of small samples can be counted directly: the fraction of the 2^n
// choices of signs with a sum at least as large.
func TestSignedRank(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given []float64
		want  float64
	}{
		{"nothing", nil, 1},
		{"zeros only", []float64{0, 0}, 1},
		{"one", []float64{1}, 1.0 / 2},
		{"all above", []float64{1, 2, 3, 4, 5}, 1.0 / 32},
		{"all below", []float64{-1, -2, -3}, 1},
		{"the smallest is below", []float64{-1, 2, 3}, 2.0 / 8},
		{"the largest is below", []float64{1, 2, -3}, 5.0 / 8},
		{"equal sizes", []float64{1, 1, -1}, 4.0 / 8},
		{"a zero is left out", []float64{0, 1, 2}, 1.0 / 4},
		{"not a number is left out", []float64{math.NaN(), 1, 2}, 1.0 / 4},
	} {
		near(t, tt.name, stat.SignedRank(tt.given), tt.want)
	}
}

// Compared with counting all signs, for random samples with and without equal sizes.
func TestSignedRankByCounting(t *testing.T) {
	draw := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		values := make([]float64, 1+draw.IntN(9))
		for i := range values {
			values[i] = float64(1+draw.IntN(6)) * float64(1-2*draw.IntN(2))
		}
		near(t, "p", stat.SignedRank(values), counted(values))
	}
}

func counted(values []float64) float64 {
	sum := func(signs func(i int) bool) (s float64) {
		for i := range values {
			if !signs(i) {
				continue
			}
			below, same := 0.0, 0.0
			for _, other := range values {
				switch a, b := math.Abs(other), math.Abs(values[i]); {
				case a < b:
					below++
				case a == b:
					same++
				}
			}
			s += below + (same+1)/2
		}
		return s
	}
	seen, hits := sum(func(i int) bool { return values[i] > 0 }), 0
	for signs := range 1 << len(values) {
		if sum(func(i int) bool { return signs>>i&1 == 1 }) >= seen {
			hits++
		}
	}
	return float64(hits) / float64(int(1)<<len(values))
}

func TestHolm(t *testing.T) {
	got := stat.Holm([]float64{0.01, 0.04, 0.03, 0.9})
	if diff := cmp.Diff([]float64{0.04, 0.09, 0.09, 0.9}, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := stat.Holm(nil); len(got) != 0 {
		t.Errorf("Holm(nil) = %v", got)
	}
}

// About 95 of 100 intervals must contain the true median.
func TestInterval(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	holds := 0
	for range 100 {
		values := make([]float64, 21)
		for i := range values {
			values[i] = draw.NormFloat64() + 10
		}
		low, high := stat.Interval(values)
		if low > high {
			t.Fatalf("interval from %v to %v", low, high)
		}
		if low <= 10 && 10 <= high {
			holds++
		}
	}
	if holds < 88 {
		t.Errorf("%d of 100 intervals hold the median", holds)
	}
}
