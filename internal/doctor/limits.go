package doctor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

// Limits reports which limits apply, where each comes from, and how full the store is.
func (r *Report) Limits(limits bridge.LimitReport) {
	for _, s := range limits.Sources() {
		var parts []string
		for _, w := range []struct {
			n    int
			name string
		}{{s.Limit.PerMinute, "minute"}, {s.Limit.PerHour, "hour"}, {s.Limit.PerDay, "day"}} {
			if w.n > 0 {
				parts = append(parts, fmt.Sprintf("%d/%s", w.n, w.name))
			}
		}
		r.Add("limits", OK, "%s: %s (%s)", s.Kind, cmp.Or(strings.Join(parts, " "), "no limit"), limitSource(s.By))
	}
	for _, f := range limits.Usage.Fills(limits.Limits.Quota) {
		used, most := strconv.FormatInt(f.Used, 10), strconv.FormatInt(f.Most, 10)
		if f.What == "bytes" {
			used, most = view.Bytes(uint64(f.Used)), view.Bytes(uint64(f.Most))
		}
		switch {
		case f.Most <= 0:
			r.Add("quota", OK, "%s: %s, no limit", f.What, used)
		case f.Percent() >= 100:
			r.Add("quota", Problem, "%s: %s of %s, nothing more can be stored: run `bridge cleanup`, or allow more with `bridge limits set --max-%s`", f.What, used, most, f.What)
		case f.Warn():
			r.Add("quota", Warning, "%s: %s of %s: run `bridge cleanup`, or allow more with `bridge limits set --max-%s`", f.What, used, most, f.What)
		default:
			r.Add("quota", OK, "%s: %s of %s", f.What, used, most)
		}
	}
}

// limitSource says where a limit comes from.
func limitSource(by string) string {
	switch by {
	case bridge.Operator:
		return "set by the operator"
	case bridge.LimitMade:
		return "set when the store was made"
	}
	return "default"
}
