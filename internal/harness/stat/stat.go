// Package stat compares paired measurements: the exact Wilcoxon signed-rank test, Holm's
// correction for several tests, and bootstrap intervals. None of the methods depends on the
// distribution of the measurements, and the same input always gives the same result.
package stat

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Median returns the middle of the values, and NaN for none.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which a share q of the values lies, interpolated
// between neighbours; NaN for no values.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return quantile(slices.Sorted(slices.Values(values)), q)
}

func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// MostPairs is the maximum number of differences that [SignedRank] accepts.
const MostPairs = 1000

// SignedRank returns the probability that differences which are as likely to be positive as
// negative have a sum of positive ranks at least as large as these (Wilcoxon's signed-rank
// test, one-sided and exact; Wilcoxon 1945). Zeros are ignored, and equal sizes share their
// mean rank. Without differences the result is 1.
func SignedRank(differences []float64) float64 {
	kept := slices.DeleteFunc(slices.Clone(differences), func(d float64) bool { return d == 0 || math.IsNaN(d) })
	if len(kept) == 0 || len(kept) > MostPairs {
		return 1
	}
	ranks := doubledRanks(kept)
	seen, total := 0, 0
	for i, d := range kept {
		total += ranks[i]
		if d > 0 {
			seen += ranks[i]
		}
	}
	// chance[s] is the probability of the sum s over all choices of signs.
	chance := make([]float64, total+1)
	chance[0] = 1
	reach := 0
	for _, rank := range ranks {
		reach += rank
		for s := reach; s >= 0; s-- {
			chance[s] /= 2
			if s >= rank {
				chance[s] += chance[s-rank] / 2
			}
		}
	}
	p := 0.0
	for s := seen; s <= total; s++ {
		p += chance[s]
	}
	return min(p, 1)
}

// doubledRanks returns the ranks of the sizes, multiplied by two so that shared ranks are
// integers.
func doubledRanks(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(values[a]), math.Abs(values[b])) })
	ranks := make([]int, len(values))
	for first := 0; first < len(order); {
		last := first
		for last+1 < len(order) && math.Abs(values[order[last+1]]) == math.Abs(values[order[first]]) {
			last++
		}
		for i := first; i <= last; i++ {
			ranks[order[i]] = first + last + 2 // twice the mean of first+1 … last+1
		}
		first = last + 1
	}
	return ranks
}

// Holm corrects the probabilities of several tests, so that the probability of any false
// positive among them is that of a single test (Holm 1979).
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	corrected, least := make([]float64, len(p)), 0.0
	for place, i := range order {
		least = max(least, min(p[i]*float64(len(p)-place), 1))
		corrected[i] = least
	}
	return corrected
}

// resamples is the number of samples that [Interval] draws.
const resamples = 2000

// Interval is the 95 % bootstrap interval of the median (percentile method; Efron 1979).
func Interval(values []float64) (low, high float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	draw := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same input must have the same interval
	medians, sample := make([]float64, resamples), make([]float64, len(values))
	for i := range medians {
		for j := range sample {
			sample[j] = values[draw.IntN(len(values))]
		}
		slices.Sort(sample)
		medians[i] = quantile(sample, 0.5)
	}
	slices.Sort(medians)
	return quantile(medians, 0.025), quantile(medians, 0.975)
}
