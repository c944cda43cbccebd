package ui

import (
	"cmp"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// limits shows the limits of the store, and how full it is.
func (s *Server) limits(r look) (content, error) {
	report, err := s.Bridge.Limits(r.Context(), "")
	if err != nil {
		return content{}, err
	}
	data := struct {
		Limits []limit
		Fills  []fill
	}{}
	for _, kind := range bridge.LimitKinds() {
		l := report.Limits.Of(kind)
		data.Limits = append(data.Limits, limit{string(kind), [3]int{l.PerMinute, l.PerHour, l.PerDay}})
	}
	used, may := report.Usage, report.Limits.Quota
	data.Fills = []fill{
		{"bytes", view.Bytes(uint64(max(used.Bytes, 0))), view.Bytes(uint64(max(may.Bytes, 0))), percent(used.Bytes, may.Bytes)},
		{"conversations", itoa(used.Conversations), itoa(may.Conversations), percent(used.Conversations, may.Conversations)},
		{"messages", itoa(used.Messages), itoa(may.Messages), percent(used.Messages, may.Messages)},
	}
	return content{"limits", "Limits", data}, nil
}

// limit is how often something may happen per minute, hour and day; 0 means no limit.
type limit struct {
	Name string
	Most [3]int
}

// fill is how much of one kind of data the store holds, and its limit.
type fill struct {
	Name, Used, Of string
	Percent        int64 // -1 if there is no limit
}

func percent(n, of int64) int64 {
	if of <= 0 {
		return -1
	}
	return int64(float64(n) * 100 / float64(of))
}

// figures shows the figures of the last hour and the last day.
func (s *Server) figures(look) (content, error) {
	c := s.lastCounts()
	data := struct {
		At             view.Time
		Chart          chart
		Messages       []counting
		Calls          []row
		Senders, Kinds []row
	}{At: view.Time(c.At), Chart: chartOf(c.Hours), Messages: messageLines(c.Periods)}
	for i, p := range c.Periods {
		byCall := map[event]int64{}
		for _, c := range p.Calls {
			byCall[event{c.Action, c.Outcome}] += c.Count
		}
		data.Calls, data.Senders, data.Kinds = add(data.Calls, i, byCall), add(data.Senders, i, named(p.Messages.BySender)), add(data.Kinds, i, named(p.Messages.ByKind))
	}
	for _, all := range [][]row{data.Calls, data.Senders, data.Kinds} {
		slices.SortFunc(all, func(a, b row) int {
			return cmp.Or(cmp.Compare(b.Counts[1], a.Counts[1]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Outcome, b.Outcome))
		})
	}
	return content{"figures", "Figures", data}, nil
}

// counting is a figure for the last hour and the last day, as text.
type counting struct {
	Name   string
	Values [2]string
}

// messageLines returns the figures for messages: how many were sent and delivered, and how
// long delivery took.
func messageLines(of [2]summary.Period) []counting {
	waited := func(d time.Duration, n int64) string {
		if n == 0 {
			return "–"
		}
		return took(d)
	}
	var lines []counting
	for _, one := range []struct {
		name string
		of   func(summary.Period) string
	}{
		{"sent", func(p summary.Period) string { return itoa(p.Sent) }},
		{"delivered", func(p summary.Period) string { return itoa(p.Delays.Count) }},
		{"half of them within", func(p summary.Period) string { return waited(p.Delays.Median, p.Delays.Count) }},
		{"95 of 100 within", func(p summary.Period) string { return waited(p.Delays.P95, p.Delays.Count) }},
		{"the slowest after", func(p summary.Period) string { return waited(p.Delays.Longest, p.Delays.Count) }},
		{"calls refused", func(p summary.Period) string { return itoa(p.Refused) }},
		{"calls over a limit", func(p summary.Period) string { return itoa(p.Limited) }},
	} {
		lines = append(lines, counting{one.name, [2]string{one.of(of[0]), one.of(of[1])}})
	}
	return lines
}

// event is a kind of event that is counted.
type event struct{ Name, Outcome string }

func named(counts map[string]int64) map[event]int64 {
	events := map[event]int64{}
	for name, n := range counts {
		events[event{Name: name}] = n
	}
	return events
}

// row is how often something happened in the last hour and in the last day.
type row struct {
	event
	Counts [2]int64
}

// add adds counts to column i.
func add(all []row, i int, counts map[event]int64) []row {
	for e, n := range counts {
		e = event{cleantext.CleanLine(e.Name), cleantext.CleanLine(e.Outcome)}
		at := slices.IndexFunc(all, func(r row) bool { return r.event == e })
		if at < 0 {
			at = len(all)
			all = append(all, row{event: e})
		}
		all[at].Counts[i] += n
	}
	return all
}

// Sizes of the chart of the last day, in its own units.
const (
	chartHeight = 60
	barStep     = 20
	barWidth    = 14
)

// chart shows the hours of the last day as bars.
type chart struct {
	Width, Height int
	Most          int64 // the value of the highest bar; 0 if nothing happened
	Bars          []bar
}

// bar is one hour: messages sent, and above them calls refused.
type bar struct {
	summary.Hour
	X, Width              int
	SentY, SentHeight     int
	RefusedY, RefusedHigh int
	Label                 string
}

func chartOf(hours []summary.Hour) chart {
	c := chart{Width: len(hours) * barStep, Height: chartHeight}
	for _, h := range hours {
		c.Most = max(c.Most, h.Sent+h.Refused)
	}
	for i, h := range hours {
		b := bar{Hour: h, X: i * barStep, Width: barWidth, SentHeight: c.high(h.Sent), RefusedHigh: c.high(h.Refused)}
		b.SentY = chartHeight - b.SentHeight
		b.RefusedY = b.SentY - b.RefusedHigh
		b.Label = h.Begins.Format("15:04 UTC") + ": " + itoa(h.Sent) + " sent, " + itoa(h.Refused) + " refused"
		c.Bars = append(c.Bars, b)
	}
	return c
}

// high returns the height of a bar for n; it is never zero if n is not.
func (c chart) high(n int64) int {
	if n == 0 {
		return 0
	}
	return max(int(float64(n)*(chartHeight-2)/float64(c.Most)), 1)
}
