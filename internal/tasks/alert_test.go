package tasks_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/tasks"
)

func TestAlertClaimable(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		until time.Time
		want  bool
	}{
		{"never claimed", time.Time{}, true},
		{"being delivered", noon.Add(time.Second), false},
		{"the claim has run out", noon, true},
		{"claimed by who looked at the clock later", noon.Add(tasks.AlertClaim + time.Second), false},
		{"claimed before the clock was set back", noon.Add(time.Hour), true},
	} {
		if got := (tasks.Alert{ClaimUntil: tt.until}).Claimable(noon); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
