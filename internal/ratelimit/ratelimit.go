// Package ratelimit is the arithmetic of token buckets over three windows.
//
// It holds no state and reads no clock: a store keeps each Bucket and calls
// Take inside the transaction that the call belongs to, so that limits hold
// across processes and restarts.
package ratelimit

import (
	"fmt"
	"math"
	"time"
)

// Limit is how often something may happen: bursts up to each number, refilled
// evenly over its window. Zero means no limit for that window.
type Limit struct {
	PerMinute, PerHour, PerDay int
}

// Bucket is what a store remembers of one limited thing. The zero Bucket has
// spent nothing.
type Bucket struct {
	// Spent is what each window has used up and not yet got back, in calls.
	Minute, Hour, Day float64
	// At is when the three numbers were true.
	At time.Time
}

// Exceeded reports that a call was over its limit. Nothing was charged.
type Exceeded struct {
	// Window is "minute", "hour" or "day".
	Window string
	// Limit is the number of calls that the window allows.
	Limit int
	// RetryAfter is how long until the same call would be let through,
	// in whole seconds, at least one.
	RetryAfter time.Duration
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("over the limit of %d per %s: try again in %d seconds", e.Limit, e.Window, int(e.RetryAfter.Seconds()))
}

// rounding is what a sum of refills may be off by, in calls.
const rounding = 1e-9

// maxLate is how much older than the call before it a call may be that waited
// longer for its turn. What is older still was made after the clock was set back.
const maxLate = time.Minute

// Take charges one call at the time now. It returns the bucket to keep and, if
// the call is over the limit, an *Exceeded that names the window with the longest
// wait; then nothing was charged. A clock that went back refills nothing and takes
// nothing away. Nor does a call that looked at the clock before the one that was
// charged before it: otherwise many processes would refill the same time again
// and again.
func (l Limit) Take(b Bucket, now time.Time) (Bucket, error) {
	late := b.At.Sub(now)
	if late < 0 || late >= maxLate {
		late = 0
	}
	at := now.Add(late)
	elapsed := max(at.Sub(b.At), 0)
	if b.At.IsZero() {
		elapsed = 0
	}
	var refused *Exceeded
	refill := func(spent float64, limit int, name string, window time.Duration) float64 {
		if limit <= 0 {
			return 0
		}
		perSecond := float64(limit) / window.Seconds()
		// A limit that was lowered since leaves the bucket full, not overfull for days.
		spent = min(spent, float64(limit))
		spent = max(spent-elapsed.Seconds()*perSecond, 0)
		if over := spent + 1 - float64(limit) - rounding; over > 0 {
			wait := time.Duration(math.Ceil(over/perSecond+late.Seconds())) * time.Second
			if refused == nil || wait > refused.RetryAfter {
				refused = &Exceeded{Window: name, Limit: limit, RetryAfter: wait}
			}
		}
		return spent
	}
	kept := Bucket{
		Minute: refill(b.Minute, l.PerMinute, "minute", time.Minute),
		Hour:   refill(b.Hour, l.PerHour, "hour", time.Hour),
		Day:    refill(b.Day, l.PerDay, "day", 24*time.Hour),
		At:     at,
	}
	if refused != nil {
		return kept, refused
	}
	charge := func(spent *float64, limit int) {
		if limit > 0 {
			*spent++
		}
	}
	charge(&kept.Minute, l.PerMinute)
	charge(&kept.Hour, l.PerHour)
	charge(&kept.Day, l.PerDay)
	return kept, nil
}
