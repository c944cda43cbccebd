package ratelimit_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/ratelimit"
)

// TestWindowsWithoutALimit checks that the usage of a window is kept by a limit that
// does not restrict it, so that a process with fewer limits does not reset a bucket.
func TestWindowsWithoutALimit(t *testing.T) {
	b := ratelimit.Bucket{Minute: 1, Hour: 2, Day: 3, At: epoch}
	for _, tt := range []struct {
		limit ratelimit.Limit
		want  ratelimit.Bucket
	}{
		{ratelimit.Limit{}, b},
		{ratelimit.Limit{PerMinute: 20}, ratelimit.Bucket{Minute: 2, Hour: 2, Day: 3, At: epoch}},
		{ratelimit.Limit{PerHour: 20}, ratelimit.Bucket{Minute: 1, Hour: 3, Day: 3, At: epoch}},
		{ratelimit.Limit{PerDay: 20}, ratelimit.Bucket{Minute: 1, Hour: 2, Day: 4, At: epoch}},
	} {
		if got, err := tt.limit.Take(b, epoch); err != nil || got != tt.want {
			t.Errorf("%+v: got %+v, %v, want %+v", tt.limit, got, err, tt.want)
		}
	}
}

// TestNoLimitChangesNothing checks that a call without any limit leaves the bucket
// unchanged, including its time, so that a limit set later refills from the last call that
// counted.
func TestNoLimitChangesNothing(t *testing.T) {
	b := ratelimit.Bucket{Minute: 1, Hour: 2, Day: 3, At: epoch}
	for _, limit := range []ratelimit.Limit{{}, {PerMinute: -1}, {PerHour: -1}, {PerDay: -1}} {
		if got, err := limit.Take(b, epoch.Add(time.Second)); err != nil || got != b {
			t.Errorf("%+v: got %+v, %v", limit, got, err)
		}
	}
}

// TestEqualWaits checks that the shortest of several windows with the same wait
// is reported.
func TestEqualWaits(t *testing.T) {
	limit := ratelimit.Limit{PerMinute: 1, PerHour: 60, PerDay: 1440}
	b := ratelimit.Bucket{Minute: 1, Hour: 60, Day: 1440, At: epoch}
	if got := take(t, limit, &b, epoch); got != (over{"minute", 1, time.Minute}) {
		t.Errorf("got %+v", got)
	}
}

func TestBurst(t *testing.T) {
	for _, tt := range []struct {
		limit ratelimit.Limit
		want  int
	}{
		{ratelimit.Limit{}, 0},
		{ratelimit.Limit{PerMinute: -1}, 0},
		{ratelimit.Limit{PerMinute: 3}, 3},
		{ratelimit.Limit{PerMinute: 3, PerHour: 2}, 2},
		{ratelimit.Limit{PerMinute: 2, PerHour: 3}, 2},
		{ratelimit.Limit{PerHour: 3, PerDay: 1}, 1},
		{ratelimit.Limit{PerMinute: 3, PerHour: -1, PerDay: 5}, 3},
	} {
		if got := tt.limit.Burst(); got != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.limit, got, tt.want)
		}
	}
}
