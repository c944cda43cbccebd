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
	away, unknown := &rig.Refusal{Code: "store_unreachable"}, &rig.Refusal{Code: "outcome_unknown"}
	for name, test := range map[string]struct {
		pacing stress.Pacing
		errs   []error
		want   time.Duration // after the last of errs; 0 to give up
	}{
		"no refusal":                      {errs: []error{errors.New("broken pipe")}},
		"another refusal":                 {errs: []error{&rig.Refusal{Code: "not_found"}}},
		"busy once":                       {errs: []error{busy}, want: time.Second},
		"busy without an end":             {errs: []error{busy, busy, busy, busy, busy, busy, busy, busy, busy, busy, busy}},
		"a limit that should not be":      {errs: []error{limited}},
		"a limit":                         {pacing: stress.Pacing{Limits: true}, errs: []error{limited}, want: 7 * time.Second},
		"busy, a limit, and busy at last": {pacing: stress.Pacing{Limits: true}, errs: []error{busy, busy, busy, busy, busy, busy, busy, busy, busy, busy, limited, busy}, want: time.Second},
		"a server that does not answer":   {pacing: stress.Pacing{Server: true}, errs: []error{away}, want: time.Second},
		"a server that never answers":     {pacing: stress.Pacing{Server: true}, errs: []error{away, away, away, away, away, away, away, away, away, away, away}},
		"a file that does not answer":     {errs: []error{away}},
		"a server's last step":            {pacing: stress.Pacing{Server: true}, errs: []error{unknown}, want: time.Second},
		"a gateway's last step":           {pacing: stress.Pacing{Gateways: true}, errs: []error{unknown}, want: time.Second},
		"a file's last step":              {errs: []error{unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			pacing := test.pacing
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
