package stress_test

import (
	"errors"
	"testing"
	"time"

	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/lab/stress"
)

func TestPacing(t *testing.T) {
	busy := &rig.Refusal{Code: "store_busy"}
	limited := &rig.Refusal{Code: "rate_limited", RetryAfter: 7 * time.Second}
	for name, test := range map[string]struct {
		limits bool
		errs   []error
		want   time.Duration // after the last of errs, 0 to end
	}{
		"no refusal":                      {errs: []error{errors.New("broken pipe")}},
		"another refusal":                 {errs: []error{&rig.Refusal{Code: "not_found"}}},
		"busy once":                       {errs: []error{busy}, want: time.Second},
		"busy without an end":             {errs: []error{busy, busy, busy, busy, busy, busy, busy, busy, busy, busy, busy}},
		"a limit that should not be":      {errs: []error{limited}},
		"a limit":                         {limits: true, errs: []error{limited}, want: 7 * time.Second},
		"busy, a limit, and busy at last": {limits: true, errs: []error{busy, busy, busy, busy, busy, busy, busy, busy, busy, busy, limited, busy}, want: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			pacing := stress.Pacing{Limits: test.limits}
			var got time.Duration
			for _, err := range test.errs {
				got, _ = pacing.Wait(err)
			}
			if got != test.want {
				t.Errorf("it waits %v, want %v", got, test.want)
			}
		})
	}
}
