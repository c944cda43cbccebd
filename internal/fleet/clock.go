package fleet

import (
	"time"
)

// A heartbeat is a time by the wall clock, and so is a silence. Both are wrong
// when the clock was set, and when the whole machine slept: then everybody has
// been silent, and nobody can be blamed. So the watchdog compares, from one round
// to the next, how far the wall clock went with how far the monotonic one did,
// which is never set and on most systems stands still in sleep; and it detects
// when it was not run itself for long. After any of these no worker counts as silent
// until that threshold has passed once more: whoever lives has sent a heartbeat by then.

// reading is what the two clocks say.
type reading struct {
	wall time.Time
	mono time.Duration // since any fixed moment
}

// clock reads both clocks of the process.
func clock() func() reading {
	start := time.Now()
	return func() reading {
		now := time.Now()
		return reading{wall: now.Round(0), mono: now.Sub(start)} // Round drops the monotonic part
	}
}

// trust decides whether silences may be believed.
type trust struct {
	interval, after time.Duration
	last            reading
	begun           bool
	graceUntil      time.Duration // by the monotonic clock
}

// round notes a round at the time now. It returns for how long no worker may count as
// silent, and whether that has begun just now.
func (t *trust) round(now reading) (grace time.Duration, began bool) {
	if t.begun && t.jumped(now) {
		t.graceUntil, began = now.mono+t.after, true
	}
	t.last, t.begun = now, true
	return max(t.graceUntil-now.mono, 0), began
}

// maxSlack is how far the clocks may drift apart between two rounds.
const maxSlack = 5 * time.Second

func (t *trust) jumped(now reading) bool {
	wall, mono := now.wall.Sub(t.last.wall), now.mono-t.last.mono
	slack := min(maxSlack, t.after/4)
	return (wall-mono).Abs() > slack || mono > t.interval+t.after/2
}
