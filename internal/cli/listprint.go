package cli

import (
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

func conversationTable(all []bridge.Overview, now time.Time, id func(string) string) *table {
	t := &table{columns: []column{
		{title: "CONVERSATION"},
		{title: "A", shrink: true, least: 12},
		{title: "B", shrink: true, least: 12},
		{title: "TEAM", shrink: true, least: 8, drop: 1},
		{title: "AGE", right: true, drop: 3},
		{title: "EXPIRES"},
		{title: "MESSAGES", right: true, drop: 2},
		{title: "UNREAD", right: true},
		{title: "ALIVE"},
	}}
	for _, o := range all {
		t.add(
			cell{text: id(o.ID)},
			cell{cleantext.Field(o.Sessions.Role(bridge.SessionA)), sideStyle(string(bridge.SessionA))},
			cell{partnerRoles(o), sideStyle(string(bridge.SessionB))},
			cell{text: cleantext.Field(o.Team)},
			cell{text: formatAge(max(now.Sub(o.CreatedAt), 0))},
			expiryCell(o, now),
			cell{text: strconv.FormatInt(received(o), 10)},
			unreadCell(unread(o)),
			aliveCell(o, now),
		)
	}
	return t
}

// partnerRoles returns the role of session b and the number of further sessions.
func partnerRoles(o bridge.Overview) string {
	role := cleantext.Field(o.Sessions.Role(bridge.SessionB))
	if more := len(o.Sessions) - 2; more > 0 {
		return "(+" + strconv.Itoa(more) + ") " + role
	}
	return role
}

// unreadCell shows a number only if there are unread messages, so that these are
// visible without colours too.
func unreadCell(n int64) cell {
	if n == 0 {
		return cell{"-", faint}
	}
	return cell{strconv.FormatInt(n, 10), standout}
}

func expiryCell(o bridge.Overview, now time.Time) cell {
	switch {
	case o.EndMoved:
		return cell{"end moved", warn}
	case o.Expired(now):
		return cell{formatAgo(o.ExpiresAt, now), faint}
	}
	return cell{text: formatAgo(o.ExpiresAt, now)}
}

func aliveCell(o bridge.Overview, now time.Time) cell {
	if !o.PausedAt.IsZero() {
		return cell{"paused", warn}
	}
	var alive []string
	for _, s := range o.Sessions {
		if s.Alive(now) {
			alive = append(alive, string(s.Session))
		}
	}
	if alive == nil {
		return cell{"-", faint}
	}
	return cell{strings.Join(alive, ","), good}
}

// sideStyles are the colours of the sessions, used in turn.
var sideStyles = []style{"36", "35", "34", "32", "33"}

// sideStyle returns the colour of a session; the bridge and the operator have none.
func sideStyle(session string) style {
	if len(session) != 1 || session[0] < 'a' || session[0] > 'z' {
		return plain
	}
	return sideStyles[int(session[0]-'a')%len(sideStyles)]
}

// when returns how if the condition holds, otherwise plain.
func when(condition bool, how style) style {
	if condition {
		return how
	}
	return plain
}
