package ratelimit_test

import (
	"testing"

	"example.org/bridge/internal/ratelimit"
)

// TestWindowsWithoutALimit: what was spent of a window is kept by a limit that has none
// for it, so that one process with fewer limits empties nobody's bucket.
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
