package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/tasks"
)

// top is the content of `bridge top`.
type top struct {
	summary.Summary
	hour, day summary.Period
	unseen    map[string]summary.Unseen
	store     string
	fault     string // why it is not current; empty if it is
}

const (
	// topLow is the height below which there is only room for what waits and for
	// agents; topTight is the height below which there is none for blank lines.
	topLow   = 18
	topTight = 14
)

// topLines returns the lines of a screen of the given height; with height 0,
// everything.
func topLines(t top, s screen, height int) []string {
	lines := []string{topTitle(t, s), topTotals(t, s)}
	low := height > 0 && height < topLow
	if !low {
		lines = append(append(lines, ""), linesOf(figureRows(t), s)...)
	}
	tight := height > 0 && height < topTight
	id := s.shortID(t.All)
	lines = append(lines, topPart(s, "WAITS FOR YOU", requestRows(t, id), max(height/6, min(height, 2)), "No command waits for your decision.")...)
	if waiting := t.Unassigned(); len(waiting) > 0 && !low {
		lines = append(lines, topPart(s, "UNASSIGNED TASKS", unassignedRows(waiting), height/8, "")...)
	}
	room, rest := 0, 4 // blank line, title, header and last line
	if tight {
		lines, rest = withoutBlanks(lines), 3
	}
	if height > 0 {
		room = max(height-len(lines)-rest, 1)
	}
	lines = append(lines, topPart(s, "AGENTS", agentRows(t, id), room, "There are no live conversations. `bridge install CLIENT` connects an agent.")...)
	if tight {
		lines = withoutBlanks(lines)
	}
	if height == 0 {
		return lines
	}
	return append(lines[:min(len(lines), height-1)], topEnd(t, s))
}

func withoutBlanks(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

// topTitle returns the first line: the store's name, and the time at the end of the
// line.
func topTitle(t top, s screen) string {
	name, at := "bridge top  "+cleantext.Field(t.store), s.stamp(t.At, t.At)
	room := s.width - displayWidth(at) - len(columnGap)
	if s.width == 0 || room < minColumn {
		return s.paint(name, bold) + columnGap + at
	}
	name = cut(name, room)
	return s.paint(name, bold) + strings.Repeat(" ", s.width-displayWidth(name)-displayWidth(at)) + at
}

func topTotals(t top, s screen) string {
	live := fmt.Sprint("live ", t.Live)
	if t.Paused > 0 {
		live += fmt.Sprintf(" (%d paused)", t.Paused)
	}
	text := live + fmt.Sprintf("  alive %d  silent %d  unread %d  new %d  open tasks %d  claims %d", t.Alive, t.Silent, t.Unread, t.news().Messages, len(t.Tasks), len(t.Claims))
	if s.width > 0 {
		text = cut(text, s.width)
	}
	return text
}

// news returns what the operator has not looked at.
func (t top) news() summary.News { return summary.NewsOf(t.All, t.unseen, t.At) }

// topEnd returns the last line: how to exit, or that the content is not current.
func topEnd(t top, s screen) string {
	if t.fault != "" {
		return s.paint(cut("Not current: "+cleantext.Field(t.fault), s.width), bad)
	}
	return s.paint(cut("q ends. To read one: bridge show CONVERSATION", s.width), faint)
}

// topPart returns a part of the screen: a title and at most that many rows (0: all), or
// the text for an empty table.
func topPart(s screen, title string, rows *table, most int, none string) []string {
	lines := []string{"", s.paint(title, bold)}
	if len(rows.rows) == 0 {
		return append(lines, strings.Split(strings.TrimSuffix(wrapWords(none, "", "", s.width), "\n"), "\n")...)
	}
	more := 0
	if all := len(rows.rows); most > 0 && all > most {
		kept := max(most-1, 1)
		more = all - kept
		rows.rows = rows.rows[:kept]
	}
	lines = append(lines, linesOf(rows, s)...)
	if more > 0 {
		lines = append(lines, s.paint(fmt.Sprintf("… and %d more", more), faint))
	}
	return lines
}

// linesOf returns the lines of a table on a screen.
func linesOf(t *table, s screen) []string {
	var text bytes.Buffer
	_ = t.print(&text, s) // writing to a buffer cannot fail
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// figureRows returns the figures for the last hour and the last day.
func figureRows(t top) *table {
	rows := &table{columns: []column{{title: ""}, {title: "SENT", right: true}, {title: "REFUSED", right: true}, {title: "OVER A LIMIT", right: true}, {title: "DELIVERED", right: true, drop: 3}, {title: "HALF WITHIN", right: true, drop: 2}, {title: "95 % WITHIN", right: true, drop: 1}}}
	count := func(n int64, how style) cell { return cell{strconv.FormatInt(n, 10), when(n > 0, how)} }
	for _, one := range []struct {
		name string
		of   summary.Period
	}{{"last hour", t.hour}, {"last day", t.day}} {
		rows.add(cell{text: one.name}, count(one.of.Sent, plain), count(one.of.Refused, bad), count(one.of.Limited, warn),
			count(one.of.Delays.Count, plain), delayCell(one.of.Delays, one.of.Delays.Median), delayCell(one.of.Delays, one.of.Delays.P95))
	}
	return rows
}

// delayCell formats a delay; "-" if there were no deliveries.
func delayCell(of summary.Delays, d time.Duration) cell {
	if of.Count == 0 {
		return cell{"-", faint}
	}
	return cell{text: formatDelay(d)}
}

func requestRows(t top, id func(string) string) *table {
	rows := &table{columns: []column{
		{title: "REQUEST", right: true},
		{title: "CONVERSATION", drop: 2},
		{title: "BY", drop: 1},
		{title: "COMMAND", shrink: true, least: 16},
		{title: "ENDS"},
		{title: "DECIDE WITH", drop: 3},
	}}
	for _, r := range t.Requests {
		rows.add(requestCells(r, t, id)...)
	}
	return rows
}

func requestCells(r commands.Request, t top, id func(string) string) []cell {
	return []cell{
		{strconv.FormatInt(r.ID, 10), standout},
		{text: id(r.Conversation)},
		{string(r.Session), sideStyle(string(r.Session))},
		{text: cleantext.Escape(r.Command)},
		{text: formatAgo(r.ExpiresAt, t.At)},
		{fmt.Sprintf("bridge yolo approve %d", r.ID), faint},
	}
}

func unassignedRows(waiting []tasks.Task) *table {
	rows := &table{columns: []column{
		{title: "TASK", right: true}, {title: "TEAM", shrink: true, least: 8, drop: 1}, {title: "TITLE", shrink: true, least: 16}, {title: "NEEDS", shrink: true, least: 8, drop: 2},
	}}
	for _, task := range waiting {
		rows.add(cell{strconv.FormatInt(task.ID, 10), warn}, cell{text: cleantext.Field(task.Team)}, cell{text: cleantext.Field(task.Title)}, cell{text: cleantext.Field(task.Needs)})
	}
	return rows
}

func agentRows(t top, id func(string) string) *table {
	rows := &table{columns: []column{
		{title: "CONVERSATION", drop: 1},
		{title: "AGENT"},
		{title: "ROLE", shrink: true, least: 10},
		{title: "TEAM", shrink: true, least: 6, drop: 4},
		{title: "STATE"},
		{title: "SAYS", drop: 3},
		{title: "SEEN", right: true, drop: 2},
		{title: "UNREAD", right: true},
	}}
	for _, a := range t.Agents {
		seen := "never"
		if age, ok := a.Age(t.At); ok {
			seen = formatAge(age)
		}
		rows.add(
			cell{text: id(a.Conversation)}, cell{string(a.Session), sideStyle(string(a.Session))}, cell{text: cleantext.Field(a.Role)},
			cell{text: cleantext.Field(a.Team)}, agentState(a, t), cell{cmp.Or(cleantext.Field(string(a.Status)), "-"), when(a.Status == bridge.StatusBlocked, bad)},
			cell{text: seen}, unreadCell(a.Unread),
		)
	}
	return rows
}

// agentState describes an agent's state. A stuck agent is marked in the text too, not
// only by colour.
func agentState(a summary.Agent, t top) cell {
	switch {
	case a.Stuck(t.At):
		return cell{"STUCK", bad}
	case a.Paused:
		return cell{"paused", warn}
	case a.Alive(t.At):
		return cell{"alive", good}
	case a.Joined():
		return cell{"silent", faint}
	}
	return cell{"not joined", faint}
}
