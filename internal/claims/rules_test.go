package claims_test

import (
	"slices"
	"testing"
	"time"

	"example.org/bridge/internal/claims"
)

func TestLapsed(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	of := func(id int64, lease time.Duration) claims.Claim {
		return claims.Claim{ID: id, TakenAt: noon.Add(-time.Minute), SeenAt: noon.Add(-time.Minute), Lease: lease, ExpiresAt: noon.Add(time.Hour)}
	}
	lost := of(3, time.Hour)
	lost.Task = 8 // it was reassigned to another worker
	if got := claims.Lapsed([]claims.Claim{of(1, time.Hour), of(2, 30*time.Second), lost}, noon); !slices.Equal(got, []int64{2, 3}) {
		t.Errorf("got %v, want 2 and 3", got)
	}
	for ago, want := range map[time.Duration]bool{0: false, claims.MinSeconds*time.Second - 1: false, claims.MinSeconds * time.Second: true} {
		if got := claims.MayHaveLapsed(noon.Add(-ago), noon); got != want {
			t.Errorf("%v after the last sign of life: got %v", ago, got)
		}
	}
}

// TestRenew checks that a sign of life takes claims in force again if its clock is behind
// the store's, and otherwise changes nothing.
func TestRenew(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	taken := func(ago time.Duration) []claims.Claim {
		return []claims.Claim{{ID: 1, TakenAt: noon.Add(-ago), Lease: time.Minute, ExpiresAt: noon.Add(time.Hour)}}
	}
	for name, test := range map[string]struct {
		own []claims.Claim
		at  time.Time
		all bool
	}{
		"of a clock that is behind":     {taken(30 * time.Second), noon.Add(-2 * time.Hour), true},
		"of one that is not":            {taken(30 * time.Second), noon, false},
		"of one that waited its turn":   {taken(30 * time.Second), noon.Add(-4 * time.Second), false},
		"of what has lapsed":            {taken(2 * time.Minute), noon.Add(-2 * time.Hour), false},
		"of what was taken this moment": {taken(0), noon.Add(-2 * time.Hour), false},
	} {
		o := claims.Renew(test.own, test.at, noon)
		if renewed := len(o.Add) == 1 && o.Add[0].TakenAt.Equal(noon) && slices.Equal(o.Remove, []int64{1}); renewed != test.all || !test.all && len(o.Add)+len(o.Remove) > 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
