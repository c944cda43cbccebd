package fleet

import (
	"time"
)

// The time of a heartbeat is from the wall clock, and so is the length of a silence.
// Both are wrong if the clock was set or the whole machine slept: then all workers look
// silent although none has failed. So the watchdog compares, from one round to the next,
// how far the wall clock and the monotonic clock have advanced; the latter is never set,
// and on most systems stops during sleep. It also detects that it has not run for a long
// time itself. After any of these, no worker counts as silent until the threshold has
// passed once more, by which time every live worker has sent a heartbeat.

// reading holds the times of the two clocks.
type reading struct {
	wall time.Time
	mono time.Duration // since a fixed moment
}

// clock returns a function that reads both clocks of the process.
func clock() func() reading {
	start := time.Now()
	return func() reading {
		now := time.Now()
		return reading{wall: now.Round(0), mono: now.Sub(start)} // Round removes the monotonic part
	}
}

// trust decides whether apparent silences are real.
type trust struct {
	interval, after time.Duration
	last            reading
	begun           bool
	graceUntil      time.Duration // by the monotonic clock
}

// round records a round at the time now. It returns for how long no worker may count
// as silent, and whether that period has just begun.
func (t *trust) round(now reading) (grace time.Duration, began bool) {
	if t.begun && t.jumped(now) {
		t.graceUntil, began = now.mono+t.after, true
	}
	t.last, t.begun = now, true
	return max(t.graceUntil-now.mono, 0), began
}

// maxSlack limits how far the clocks may drift apart between two rounds.
const maxSlack = 5 * time.Second

func (t *trust) jumped(now reading) bool {
	wall, mono := now.wall.Sub(t.last.wall), now.mono-t.last.mono
	slack := min(maxSlack, t.after/4)
	return (wall-mono).Abs() > slack || mono > t.interval+t.after/2
}
