package ratelimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/ratelimit"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// over is the error of a refused call; the zero value stands for an allowed
// call.
type over struct {
	Window     string
	Limit      int
	RetryAfter time.Duration
}

func take(t *testing.T, l ratelimit.Limit, b *ratelimit.Bucket, now time.Time) over {
	t.Helper()
	kept, err := l.Take(*b, now)
	*b = kept
	var exceeded *ratelimit.Exceeded
	switch {
	case err == nil:
		return over{}
	case !errors.As(err, &exceeded):
		t.Fatalf("got %v, want an Exceeded", err)
	}
	return over{exceeded.Window, exceeded.Limit, exceeded.RetryAfter}
}

func TestTake(t *testing.T) {
	// A step lets time pass and then makes a number of calls.
	type step struct {
		pass  time.Duration
		limit ratelimit.Limit
		calls int
		want  over // of the last call
	}
	minute10 := ratelimit.Limit{PerMinute: 10}
	all := ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500}
	tests := []struct {
		name  string
		steps []step
	}{
		{"a burst up to the limit", []step{{0, minute10, 10, over{}}, {0, minute10, 1, over{"minute", 10, 6 * time.Second}}}},
		{"refused calls cost nothing", []step{
			{0, minute10, 10, over{}},
			{0, minute10, 50, over{"minute", 10, 6 * time.Second}},
			{6 * time.Second, minute10, 1, over{}},
			{0, minute10, 1, over{"minute", 10, 6 * time.Second}},
		}},
		{"the wait counts from now", []step{
			{0, minute10, 10, over{}},
			{4 * time.Second, minute10, 1, over{"minute", 10, 2 * time.Second}},
			{1500 * time.Millisecond, minute10, 1, over{"minute", 10, time.Second}},
			{500 * time.Millisecond, minute10, 1, over{}},
		}},
		{"refilled evenly", []step{{0, minute10, 10, over{}}, {30 * time.Second, minute10, 5, over{}}, {0, minute10, 1, over{"minute", 10, 6 * time.Second}}}},
		{"never more than full", []step{{0, minute10, 1, over{}}, {24 * time.Hour, minute10, 10, over{}}, {0, minute10, 1, over{"minute", 10, 6 * time.Second}}}},
		{"no limit", []step{{0, ratelimit.Limit{}, 10_000, over{}}}},
		{"a negative limit is none", []step{{0, ratelimit.Limit{PerMinute: -1, PerHour: -5}, 100, over{}}}},
		{"a limit of one", []step{
			{0, ratelimit.Limit{PerMinute: 1}, 1, over{}},
			{0, ratelimit.Limit{PerMinute: 1}, 1, over{"minute", 1, time.Minute}},
			{time.Minute, ratelimit.Limit{PerMinute: 1}, 1, over{}},
		}},
		{"an hour's limit alone", []step{
			{0, ratelimit.Limit{PerHour: 100}, 100, over{}},
			{0, ratelimit.Limit{PerHour: 100}, 1, over{"hour", 100, 36 * time.Second}},
		}},
		{"a day's limit alone", []step{
			{0, ratelimit.Limit{PerDay: 500}, 500, over{}},
			{0, ratelimit.Limit{PerDay: 500}, 1, over{"day", 500, 173 * time.Second}},
		}},
		{"the window with the longest wait is named", []step{
			{0, ratelimit.Limit{PerMinute: 5, PerHour: 5, PerDay: 5}, 5, over{}},
			{0, ratelimit.Limit{PerMinute: 5, PerHour: 5, PerDay: 5}, 1, over{"day", 5, 17280 * time.Second}},
		}},
		{"the hour runs out behind the minutes", []step{
			{0, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}},
			{time.Minute, all, 10, over{}}, // 110 calls in ten minutes, in which 16 were refilled
			{time.Minute, all, 8, over{}},
			{0, all, 1, over{"hour", 100, 24 * time.Second}},
		}},
		{"an earlier time refills nothing", []step{
			{0, minute10, 10, over{}},
			{-time.Hour, minute10, 1, over{"minute", 10, time.Hour + 6*time.Second}},
		}},
		{"a window without a limit keeps what it has", []step{
			{0, minute10, 10, over{}},
			{0, ratelimit.Limit{}, 100, over{}},
			{0, minute10, 1, over{"minute", 10, 6 * time.Second}},
		}},
		{"an earlier time takes nothing away", []step{
			{0, minute10, 3, over{}},
			{-time.Hour, minute10, 7, over{}},
			{time.Hour, minute10, 1, over{"minute", 10, 6 * time.Second}},
		}},
		{"calls that come in another order refill nothing twice", []step{
			{0, minute10, 10, over{}},
			{3 * time.Second, minute10, 1, over{"minute", 10, 3 * time.Second}},
			{-3 * time.Second, minute10, 1, over{"minute", 10, 6 * time.Second}},
			{3 * time.Second, minute10, 1, over{"minute", 10, 3 * time.Second}},
			{3 * time.Second, minute10, 1, over{}},
			{-3 * time.Second, minute10, 1, over{"minute", 10, 9 * time.Second}},
		}},
		{"a call that comes late is charged", []step{
			{0, minute10, 9, over{}},
			{-40 * time.Second, minute10, 1, over{}},
			{0, minute10, 1, over{"minute", 10, 46 * time.Second}},
			{46 * time.Second, minute10, 1, over{}},
		}},
		{"a clock set forward refills to the full", []step{{0, minute10, 10, over{}}, {365 * 24 * time.Hour, minute10, 10, over{}}}},
		{"a limit lowered keeps nobody waiting for longer than one call takes", []step{
			{0, ratelimit.Limit{PerDay: 2000}, 1900, over{}},
			{0, ratelimit.Limit{PerDay: 500}, 1, over{"day", 500, 173 * time.Second}},
		}},
		{"a limit raised lets more through at once", []step{
			{0, minute10, 10, over{}},
			{0, ratelimit.Limit{PerMinute: 12}, 2, over{}},
			{0, ratelimit.Limit{PerMinute: 12}, 1, over{"minute", 12, 5 * time.Second}},
		}},
		{"a limit switched on counts from then", []step{
			{0, ratelimit.Limit{}, 100, over{}},
			{0, minute10, 10, over{}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b ratelimit.Bucket
			now := epoch
			for i, s := range tt.steps {
				now = now.Add(s.pass)
				var got over
				for n := range s.calls {
					got = take(t, s.limit, &b, now)
					if n < s.calls-1 && s.want == (over{}) && got != (over{}) {
						t.Fatalf("step %d: call %d of %d is refused: %+v", i, n+1, s.calls, got)
					}
				}
				if diff := cmp.Diff(s.want, got); diff != "" {
					t.Fatalf("step %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestExceededSaysWhatToDo(t *testing.T) {
	_, err := ratelimit.Limit{PerHour: 1}.Take(ratelimit.Bucket{Hour: 1, At: epoch}, epoch)
	if want := "over the limit of 1 per hour: try again in 3600 seconds"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzTake makes calls at random times. It checks that within any period no
// window allows more calls than the limit and the refill in that period, and
// that a refused call is allowed after the wait that it was told.
func FuzzTake(f *testing.F) {
	f.Add(uint8(10), uint8(100), uint16(500), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 60, 255, 255})
	f.Add(uint8(1), uint8(0), uint16(0), []byte{59, 1, 60, 61, 0})
	f.Add(uint8(0), uint8(3), uint16(2), []byte{0, 0, 0, 255, 255, 255, 1})
	f.Add(uint8(7), uint8(7), uint16(7), []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Fuzz(func(t *testing.T, minute, hour uint8, day uint16, gaps []byte) {
		if len(gaps) > 300 {
			return
		}
		limit := ratelimit.Limit{PerMinute: int(minute), PerHour: int(hour), PerDay: int(day)}
		var b ratelimit.Bucket
		var passed []time.Time
		now := epoch
		for _, gap := range gaps {
			now = now.Add(time.Duration(gap) * 733 * time.Millisecond)
			refused := take(t, limit, &b, now)
			if refused == (over{}) {
				passed = append(passed, now)
				continue
			}
			if refused.RetryAfter < time.Second || refused.RetryAfter%time.Second != 0 {
				t.Fatalf("told to wait for %v", refused.RetryAfter)
			}
			if _, err := limit.Take(b, now.Add(refused.RetryAfter)); err != nil {
				t.Fatalf("%+v: refused after the wait of %v: %v", limit, refused.RetryAfter, err)
			}
		}
		for _, w := range []struct {
			limit  int
			window time.Duration
		}{{limit.PerMinute, time.Minute}, {limit.PerHour, time.Hour}, {limit.PerDay, 24 * time.Hour}} {
			checkWindow(t, passed, w.limit, w.window)
		}
	})
}

func checkWindow(t *testing.T, passed []time.Time, limit int, window time.Duration) {
	t.Helper()
	if limit == 0 {
		return
	}
	for i := range passed {
		for j := i; j < len(passed); j++ {
			refilled := passed[j].Sub(passed[i]).Seconds() * float64(limit) / window.Seconds()
			if calls := j - i + 1; float64(calls) > float64(limit)+refilled+1e-6 {
				t.Fatalf("%d calls in %v, with %d per %v", calls, passed[j].Sub(passed[i]), limit, window)
			}
		}
	}
}

// TestNarrowLimitBesideAWideOne checks that calls under a narrow limit, allowed
// or refused, refill nothing for a wider limit on the same bucket.
func TestNarrowLimitBesideAWideOne(t *testing.T) {
	wide, narrow := ratelimit.Limit{PerMinute: 20}, ratelimit.Limit{PerMinute: 2}
	var b ratelimit.Bucket
	let := 0
	for range 200 {
		if take(t, wide, &b, epoch) == (over{}) {
			let++
		}
		take(t, narrow, &b, epoch)
	}
	if let > 20 {
		t.Errorf("%d of 200 calls were let through in one moment, at 20 a minute", let)
	}
}
