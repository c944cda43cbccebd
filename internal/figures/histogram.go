package figures

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// Histogram counts durations in buckets.
type Histogram struct {
	bounds []time.Duration
	counts []int64 // one more than bounds, for values above all of them
	sum    time.Duration
}

// NewHistogram returns a histogram with these upper bounds, which must be in
// ascending order.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]int64, len(bounds)+1)}
}

// Add counts a duration.
func (h *Histogram) Add(d time.Duration) {
	i, _ := slices.BinarySearch(h.bounds, d)
	h.counts[i]++
	h.sum += d
}

// samples returns the samples of the histogram's family, each with the given
// labels.
func (h *Histogram) samples(labels ...string) (all []Sample) {
	total := 0.0
	for i, n := range h.counts {
		le := "+Inf"
		if total += float64(n); i < len(h.bounds) {
			le = strconv.FormatFloat(h.bounds[i].Seconds(), 'g', -1, 64)
		}
		all = append(all, Sample{append(slices.Clone(labels), "le", le), total, "_bucket"})
	}
	return append(all, Sample{labels, h.sum.Seconds(), "_sum"}, Sample{labels, total, "_count"})
}

// callBounds are the buckets for the duration of calls.
var callBounds = []time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
}

// Calls counts the durations of the calls to a gateway. The zero Calls is empty. It is
// safe for concurrent use.
type Calls struct {
	turn sync.Mutex
	all  map[answered]*Histogram
}

// answered identifies a call by its name, its transport and its outcome.
type answered struct{ via, call, outcome string }

// Add counts a call. There must be a limited number of names, because each is
// kept permanently.
func (c *Calls) Add(via, call string, failed bool, took time.Duration) {
	what := answered{via, call, "ok"}
	if failed {
		what.outcome = "error"
	}
	c.turn.Lock()
	defer c.turn.Unlock()
	h := c.all[what]
	if h == nil {
		if c.all == nil {
			c.all = map[answered]*Histogram{}
		}
		h = NewHistogram(callBounds...)
		c.all[what] = h
	}
	h.Add(took)
}

// Family returns the figure for all calls.
func (c *Calls) Family() Family {
	c.turn.Lock()
	defer c.turn.Unlock()
	f := Family{
		Name: "bridge_gateway_call_duration_seconds", Kind: Distribution,
		Help: "How long this gateway took to answer calls, including the time that they waited for mail.",
	}
	for what, h := range c.all {
		f.Samples = append(f.Samples, h.samples("via", what.via, "call", what.call, "outcome", what.outcome)...)
	}
	return f
}
