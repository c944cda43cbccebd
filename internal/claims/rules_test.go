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
	lost.Task = 8 // another worker has it now
	if got := claims.Lapsed([]claims.Claim{of(1, time.Hour), of(2, 30*time.Second), lost}, noon); !slices.Equal(got, []int64{2, 3}) {
		t.Errorf("got %v, want 2 and 3", got)
	}
	for ago, want := range map[time.Duration]bool{0: false, claims.MinSeconds*time.Second - 1: false, claims.MinSeconds * time.Second: true} {
		if got := claims.MayHaveLapsed(noon.Add(-ago), noon); got != want {
			t.Errorf("%v after the last sign of life: got %v", ago, got)
		}
	}
}
