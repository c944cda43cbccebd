package figures

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// Histogram counts durations by how long they were.
type Histogram struct {
	bounds []time.Duration
	counts []int64 // one more than bounds: what was longer than all
	sum    time.Duration
}

// NewHistogram returns one with these upper bounds, which must ascend.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]int64, len(bounds)+1)}
}

// Add counts a duration.
func (h *Histogram) Add(d time.Duration) {
	i, _ := slices.BinarySearch(h.bounds, d)
	h.counts[i]++
	h.sum += d
}

// samples are those of the histogram's family, each with labels.
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

// callBounds are those of the duration of calls.
var callBounds = []time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
}

// Calls counts how long the calls to a gateway took. The zero Calls is empty. It is safe
// for concurrent use.
type Calls struct {
	turn sync.Mutex
	all  map[answered]*Histogram
}

// answered is a call by its name, the way it came, and how it ended.
type answered struct{ via, call, outcome string }

// Add counts a call. Its name must be one of a few: each is kept for good.
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

// Family is the figure of all calls.
func (c *Calls) Family() Family {
	c.turn.Lock()
	defer c.turn.Unlock()
	f := Family{
		Name: "bridge_gateway_call_duration_seconds", Kind: Distribution,
		Help: "How long this gateway took to answer calls, with the time that they waited for mail.",
	}
	for what, h := range c.all {
		f.Samples = append(f.Samples, h.samples("via", what.via, "call", what.call, "outcome", what.outcome)...)
	}
	return f
}
