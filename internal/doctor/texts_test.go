package doctor_test

import (
	"errors"
	"testing"

	"example.org/bridge/internal/doctor"
)

func TestTextsThatDoNotOpen(t *testing.T) {
	const remedy = "they were changed, moved, or put there in clear; a backup from before has them"
	for name, c := range map[string]struct {
		found  map[string]int64
		err    error
		detail string // "" for no line
	}{
		"none":    {},
		"one":     {map[string]int64{"steps.text": 1}, nil, "1 text does not open (steps.text 1): " + remedy},
		"several": {map[string]int64{"tasks.note": 2, "messages.message": 1}, nil, "3 texts do not open (messages.message 1, tasks.note 2): " + remedy},
		"error":   {nil, errors.New("no disk"), "no disk"},
	} {
		var r doctor.Report
		r.Unopened(c.found, c.err)
		switch {
		case c.detail == "" && len(r.Checks) > 0:
			t.Errorf("%s: got %+v", name, r.Checks)
		case c.detail != "" && (len(r.Checks) != 1 || r.Checks[0].Status != doctor.Problem || r.Checks[0].Detail != c.detail):
			t.Errorf("%s: got %+v", name, r.Checks)
		}
	}
}
