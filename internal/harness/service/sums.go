package service

import (
	"slices"
	"time"
)

// sums are the totals of all runs since the start.
type sums struct {
	last    *Result
	runs    map[string]int // by result
	cases   map[string]int // by state
	buckets []int          // number of times up to bounds[i] and above those before; the last counts the rest
	total   time.Duration  // sum of all times
	count   int

	recent   []float64 // 95th percentiles of the last runs, in milliseconds
	learning []float64 // of runs without findings, until there are enough
	baseline []float64
}

// bounds are the upper limits of the histogram, in seconds.
var bounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

const (
	// recentRuns is the number of runs that determine the current percentile, so that a
	// single slow run does not change it.
	recentRuns = 5
	// baselineRuns is the number of runs in a baseline: as many as a valid one needs.
	baselineRuns = 10
)

// The results of a run.
const (
	clean      = "clean"
	findings   = "findings"
	notStarted = "not_started"
)

// add counts a run. It returns the baseline if this run completed it.
func (s *sums) add(r Result) (learned []float64) {
	if s.runs == nil {
		s.runs, s.cases, s.buckets = map[string]int{}, map[string]int{}, make([]int, len(bounds)+1)
	}
	s.last = &r
	switch {
	case r.NotStarted:
		s.runs[notStarted]++
		return nil
	case r.Found() > 0:
		s.runs[findings]++
	default:
		s.runs[clean]++
	}
	for state, n := range map[string]int{"passed": r.Passed, "failed": r.Failed, "flaky": r.Flaky, "skipped": r.Skipped} {
		s.cases[state] += n
	}
	for _, t := range r.Times {
		s.buckets[place(t.Seconds())]++
		s.total += t
		s.count++
	}
	if len(r.Times) == 0 {
		return nil
	}
	p95 := float64(percentile95(r.Times)) / float64(time.Millisecond)
	s.recent = append(s.recent, p95)
	s.recent = s.recent[max(0, len(s.recent)-recentRuns):]
	if s.baseline == nil && r.Found() == 0 {
		if s.learning = append(s.learning, p95); len(s.learning) == baselineRuns {
			s.baseline = s.learning
			return slices.Clone(s.baseline)
		}
	}
	return nil
}

// place returns the bucket for a time.
func place(seconds float64) int {
	at, _ := slices.BinarySearch(bounds, seconds)
	return at
}

// percentile95 returns the 95th percentile of times, of which there must be at least one.
func percentile95(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[(len(sorted)*95+99)/100-1]
}

// median returns the median of values, of which there must be at least one.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
