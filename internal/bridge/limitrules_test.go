package bridge_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
)

func TestClockTick(t *testing.T) {
	at := noon.Add
	type call struct{ now, want time.Duration }
	for _, tt := range []struct {
		name  string
		calls []call
	}{
		{"it goes on", []call{{0, 0}, {time.Second, time.Second}}},
		{"a call that waited for its turn", []call{{30 * time.Second, 30 * time.Second}, {0, 30 * time.Second}, {31 * time.Second, 31 * time.Second}}},
		{"a clock set back stands still at first", []call{{0, 0}, {-time.Hour, 0}}},
		{"and goes on from there", []call{{0, 0}, {-time.Hour, 0}, {-time.Hour + 5*time.Second, 5 * time.Second}, {-time.Hour + 9*time.Second, 9 * time.Second}}},
		{"until it has caught up", []call{{0, 0}, {-2 * time.Minute, 0}, {0, 0}, {3 * time.Minute, 3 * time.Minute}}},
		{"two clocks give the time of the one ahead", []call{
			{time.Hour, time.Hour},
			{0, time.Hour},
			{time.Hour + 10*time.Second, time.Hour + 10*time.Second},
			{10 * time.Second, time.Hour + 10*time.Second},
			{time.Hour + 20*time.Second, time.Hour + 20*time.Second},
			{20 * time.Second, time.Hour + 20*time.Second},
		}},
		{"set back twice", []call{{0, 0}, {-time.Hour, 0}, {-2 * time.Hour, 0}, {-time.Hour + time.Second, time.Second}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c bridge.Clock
			for i, call := range tt.calls {
				looked := c.Time(at(call.now))
				var got time.Time
				c, got = c.Tick(at(call.now))
				if !got.Equal(at(call.want)) || !looked.Equal(got) {
					t.Errorf("call %d: got %v, looked %v, want %v", i+1, got.Sub(noon), looked.Sub(noon), call.want)
				}
			}
		})
	}
}

func TestFoldAdd(t *testing.T) {
	var f bridge.Fold
	var got []string
	for _, second := range []int{0, 10, 59, 60, 61, 125, 100, 200} {
		details := bridge.Details{}
		var logged bool
		if f, logged = f.Add(noon.Add(time.Duration(second)*time.Second), details); !logged {
			got = append(got, "-")
			continue
		}
		got = append(got, "logged")
		if second == 60 {
			want := bridge.Details{"count": int64(3), "first": "2026-01-01T12:00:10Z", "last": "2026-01-01T12:01:00Z"}
			if diff := cmp.Diff(want, details); diff != "" {
				t.Error(diff)
			}
		}
	}
	// At 100 the clock was set back. A fold from the future is closed.
	if diff := cmp.Diff([]string{"logged", "-", "-", "logged", "-", "logged", "logged", "logged"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestAdmitMoreThanOne checks that a quota of one allows one, and that zero
// means no limit.
func TestAdmitMoreThanOne(t *testing.T) {
	t.Parallel()
	for quota, want := range map[int64]bool{0: false, 1: true, 2: false} {
		err := bridge.Usage{Messages: 1}.AdmitMore(bridge.Usage{Messages: quota})
		if got := errors.Is(err, bridge.ErrQuota); got != want {
			t.Errorf("one of %d: refused %v, want %v: %v", quota, got, want, err)
		}
	}
}

func TestAdmitMore(t *testing.T) {
	quota := bridge.Usage{Bytes: 1000, Conversations: 10}
	for _, tt := range []struct {
		name  string
		usage bridge.Usage
		full  string
		warn  []string
	}{
		{"empty", bridge.Usage{}, "", nil},
		{"nearly", bridge.Usage{Bytes: 800, Conversations: 7}, "", []string{"bytes"}},
		{"no limit", bridge.Usage{Messages: 1 << 40}, "", nil},
		{"bytes", bridge.Usage{Bytes: 1000, Conversations: 8}, "bytes", []string{"bytes", "conversations"}},
		{"conversations", bridge.Usage{Conversations: 10}, "conversations", []string{"conversations"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var full string
			var quotaError *bridge.QuotaError
			if err := tt.usage.AdmitMore(quota); errors.As(err, &quotaError) {
				full = quotaError.What
			}
			var warn []string
			for _, f := range tt.usage.Fills(quota) {
				if f.Warn() {
					warn = append(warn, f.What)
				}
			}
			if diff := cmp.Diff([]any{tt.full, tt.warn}, []any{full, warn}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFirstLimits checks that a new store has a limit of each kind.
func TestFirstLimits(t *testing.T) {
	all := bridge.DefaultLimits()
	set := bridge.FirstLimits(all, bridge.LimitMade, noon)
	if len(set) != len(bridge.LimitKinds()) {
		t.Errorf("got %d limits", len(set))
	}
	for _, s := range set {
		if s.By != bridge.LimitMade || !s.At.Equal(noon) || s.Conversation != "" {
			t.Errorf("got %+v", s)
		}
	}
	if diff := cmp.Diff(all, bridge.EffectiveLimits(set, all.Quota)); diff != "" {
		t.Error(diff)
	}
}
