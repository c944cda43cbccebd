package summary_test

import (
	"context"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/summary"
)

// TestHours checks that events are counted in their hour, and that hours older than those
// kept are forgotten.
func TestHours(t *testing.T) {
	at := func(ago time.Duration, e audit.Entry) audit.Entry {
		e.Time = noon.Add(10*time.Minute - ago)
		if e.Outcome == "" {
			e.Outcome = bridge.OutcomeOK
		}
		return e
	}
	refused := audit.Entry{Action: "check_messages", Outcome: bridge.OutcomeRateLimited}
	many := refused
	many.Details = `{"count":7}`
	entries := []audit.Entry{
		at(30*time.Hour, sends("a", `{"seq":1}`)),
		at(2*time.Hour, sends("a", `{"seq":2}`)),
		at(2*time.Hour, refused),
		at(time.Hour, many),
		at(11*time.Minute, sends("b", `{"seq":1}`)),
		at(9*time.Minute, sends("b", `{"seq":2}`)),
		at(8*time.Minute, sends("b", `{"seq":2,"repeated":true}`)),
		at(7*time.Minute, audit.Entry{Action: "check_messages"}),
	}
	for i := range entries {
		entries[i].Seq = int64(i + 1)
	}
	log := &summary.Log{Keep: 24 * time.Hour, Entries: func(_ context.Context, q bridge.AuditQuery) ([]audit.Entry, error) {
		if q.Last {
			return entries[len(entries)-1:], nil
		}
		page := entries[min(q.After, int64(len(entries))):]
		return page[:min(len(page), q.Limit)], nil
	}}
	must(t, log.Read(t.Context(), noon.Add(10*time.Minute)))
	got := log.Hours(noon.Add(10*time.Minute), 31)
	want := map[int]summary.Hour{28: {Sent: 1, Refused: 1}, 29: {Sent: 1, Refused: 7}, 30: {Sent: 1}}
	for i, h := range got {
		w := want[i]
		w.Begins = noon.Add(time.Duration(i-30) * time.Hour)
		if h != w {
			t.Errorf("hour %d is %+v, want %+v", i, h, w)
		}
	}
}
