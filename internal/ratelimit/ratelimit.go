// Package ratelimit computes token buckets over three windows: minute, hour and day.
//
// It holds no state and reads no clock. A store keeps each Bucket and calls Take inside
// the transaction of the call that is limited, so that limits hold across processes and
// restarts. PRODUCTION.md lists the limits of the bridge.
package ratelimit

import (
	"fmt"
	"math"
	"time"
)

// Limit is the number of calls allowed in each window. All calls of a window may come
// at once; its allowance refills evenly over the window. 0 means that the window is not
// limited.
type Limit struct {
	PerMinute, PerHour, PerDay int
}

// Burst returns the largest number of calls that can be allowed at once: the smallest
// limit of a window, or 0 if no window is limited.
func (l Limit) Burst() (most int) {
	for _, limit := range []int{l.PerMinute, l.PerHour, l.PerDay} {
		if limit > 0 && (most == 0 || limit < most) {
			most = limit
		}
	}
	return most
}

// Bucket is the state of one limit. The zero Bucket has the full allowance.
type Bucket struct {
	// Minute, Hour and Day are the calls that were charged to each window and have not
	// been refilled yet.
	Minute, Hour, Day float64
	// At is the time for which the three numbers are computed.
	At time.Time
}

// Exceeded reports a call that was over its limit and was not charged.
type Exceeded struct {
	// Window is "minute", "hour" or "day".
	Window string
	// Limit is the number of calls that the window allows.
	Limit int
	// RetryAfter is how long to wait until the same call would be allowed, in whole
	// seconds, at least one.
	RetryAfter time.Duration
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("over the limit of %d per %s: try again in %d seconds", e.Limit, e.Window, int(e.RetryAfter.Seconds()))
}

// rounding is the maximum rounding error of a sum of refills, in calls.
const rounding = 1e-9

// Take charges one call at the time now and returns the bucket to keep. If the call is
// over the limit, the error is an *Exceeded that names the window with the longest
// wait, and the bucket is returned unchanged. A time earlier than that of the last call
// refills nothing. Numbers of windows that are not limited are not changed.
func (l Limit) Take(b Bucket, now time.Time) (Bucket, error) {
	if l.PerMinute <= 0 && l.PerHour <= 0 && l.PerDay <= 0 {
		return b, nil
	}
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
		// If the limit was lowered, the bucket becomes full, but not overfull for days.
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
	kept := Bucket{
		Minute: refill(b.Minute, l.PerMinute, "minute", time.Minute),
		Hour:   refill(b.Hour, l.PerHour, "hour", time.Hour),
		Day:    refill(b.Day, l.PerDay, "day", 24*time.Hour),
		At:     at,
	}
	if refused != nil {
		return b, refused
	}
	charge(&kept.Minute, l.PerMinute)
	charge(&kept.Hour, l.PerHour)
	charge(&kept.Day, l.PerDay)
	return kept, nil
}

// charge counts one call in a window that has a limit.
func charge(spent *float64, limit int) {
	if limit > 0 {
		*spent++
	}
}
