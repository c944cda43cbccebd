package bridge_test

import (
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

// TestDefaultLimits: what a session may change when nobody says otherwise.
func TestDefaultLimits(t *testing.T) {
	want := ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500}
	if got := bridge.DefaultLimits().Writes; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
