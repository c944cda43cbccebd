package summary

import (
	"encoding/json"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Hour describes what happened in one hour of the clock.
type Hour struct {
	// Begins is the start of the hour, in UTC.
	Begins time.Time
	// Sent counts the messages of agents, and Refused the calls that were refused for any
	// reason.
	Sent, Refused int64
}

// hours counts by the hour, in hours since 1970.
type hours map[int64]Hour

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

func (h hours) add(e audit.Entry) {
	at := hourOf(e.Time)
	one := h[at]
	switch {
	case e.Outcome != bridge.OutcomeOK:
		one.Refused += repeated(e)
	case e.Action == actionSend:
		var s sending
		if json.Unmarshal([]byte(e.Details), &s) != nil || s.Repeated {
			return
		}
		one.Sent++
	default:
		return
	}
	h[at] = one
}

// repeated returns the number of refused calls that an entry stands for, since
// consecutive ones share an entry.
func repeated(e audit.Entry) int64 {
	var d struct {
		Count int64 `json:"count"`
	}
	_ = json.Unmarshal([]byte(e.Details), &d) // without a count it stands for one
	return max(d.Count, 1)
}

// forget drops the hours that ended before a time.
func (h hours) forget(before time.Time) {
	for at := range h {
		if at < hourOf(before) {
			delete(h, at)
		}
	}
}

// Hours returns the last n hours of the clock, the current one last. They are known
// as far back as Keep.
func (l *Log) Hours(now time.Time, n int) []Hour {
	all := make([]Hour, n)
	for i := range all {
		at := hourOf(now) - int64(n-1-i)
		all[i] = l.hours[at]
		all[i].Begins = time.Unix(at*3600, 0).UTC()
	}
	return all
}
