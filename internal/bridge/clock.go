package bridge

import "time"

// Clock is the clock of a store. Setting a machine's clock back must not revive
// what has expired, and two processes with different clocks must not refill the
// same limit twice, so the store remembers the latest time it has seen and uses
// it to judge expiry and limits.
type Clock struct {
	// Latest is the latest time seen.
	Latest time.Time
	// Slow is the time of the last call, if that call's clock was far behind
	// Latest; otherwise zero.
	Slow time.Time
}

// maxLate is how far behind Latest a call's time may be because the call had to
// wait for its turn. A call further behind has a different clock.
const maxLate = time.Minute

// Tick returns the clock after a call from a process whose clock says now, and
// the store's time of that call. Successive calls from a clock that is far
// behind advance the store's time by the time between them, so that time keeps
// advancing after a clock was set back.
func (c Clock) Tick(now time.Time) (Clock, time.Time) {
	if !now.Before(c.Latest) {
		return Clock{Latest: now}, now
	}
	if c.Latest.Sub(now) < maxLate {
		return Clock{Latest: c.Latest}, c.Latest
	}
	if !c.Slow.IsZero() && now.After(c.Slow) {
		c.Latest = c.Latest.Add(now.Sub(c.Slow))
	}
	if now.After(c.Slow) {
		c.Slow = now
	}
	return c, c.Latest
}

// Time returns the store's time when a process's clock says now.
func (c Clock) Time(now time.Time) time.Time {
	_, at := c.Tick(now)
	return at
}
