package bridge

import "time"

// Clock is the time of a store. A clock that is set back must not revive what has
// expired, nor let two processes whose clocks differ refill one limit twice, so
// the store remembers the latest time that it has seen. What expires, and what is
// limited, is judged by it.
type Clock struct {
	// Latest is the latest time seen.
	Latest time.Time
	// Slow is the time of the last call from a clock that is far behind Latest;
	// zero after a call from one that is not.
	Slow time.Time
}

// maxLate is how far behind Latest a call may be because it waited for its turn.
// What is further behind has another clock.
const maxLate = time.Minute

// Tick returns the clock after a call from a process whose clock says now, and
// the store's time of that call. Calls from clocks that are behind move it on by
// the time between two of them, so that it goes on after a clock was set back.
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

// Time is the store's time when a process's clock says now.
func (c Clock) Time(now time.Time) time.Time {
	_, at := c.Tick(now)
	return at
}
