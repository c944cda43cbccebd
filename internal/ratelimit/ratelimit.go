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

// Burst is how many calls may come at once at most; 0 is any number.
func (l Limit) Burst() (most int) {
	for _, limit := range []int{l.PerMinute, l.PerHour, l.PerDay} {
		if limit > 0 && (most == 0 || limit < most) {
			most = limit
		}
	}
	return most
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

// Take charges one call at the time now. It returns the bucket to keep and, if
// the call is over the limit, an *Exceeded that names the window with the longest
// wait; then the bucket is as it was. A call with an earlier time than the one
// before it refills nothing. Of a window without a limit the bucket keeps what it
// has.
func (l Limit) Take(b Bucket, now time.Time) (Bucket, error) {
	at := now
	if at.Before(b.At) {
		at = b.At
	}
	elapsed := at.Sub(b.At)
	var refused *Exceeded
	refill := func(spent float64, limit int, name string, window time.Duration) float64 {
		if limit <= 0 {
			return spent
		}
		perSecond := float64(limit) / window.Seconds()
		// A limit that was lowered since leaves the bucket full, not overfull for days.
		spent = min(spent, float64(limit))
		spent = max(spent-elapsed.Seconds()*perSecond, 0)
		if over := spent + 1 - float64(limit) - rounding; over > 0 {
			wait := time.Duration(math.Ceil(over/perSecond+at.Sub(now).Seconds())) * time.Second
			if refused == nil || wait > refused.RetryAfter {
				refused = &Exceeded{Window: name, Limit: limit, RetryAfter: wait}
			}
		}
		return spent
	}
	if l.PerMinute <= 0 && l.PerHour <= 0 && l.PerDay <= 0 {
		return b, nil
	}
	kept := Bucket{
		Minute: refill(b.Minute, l.PerMinute, "minute", time.Minute),
		Hour:   refill(b.Hour, l.PerHour, "hour", time.Hour),
		Day:    refill(b.Day, l.PerDay, "day", 24*time.Hour),
		At:     at,
	}
	if refused != nil {
		return b, refused
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
