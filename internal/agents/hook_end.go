package agents

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// endsSoon reports whether the conversation ends within bridge.ExpiresSoon or has
// ended, so that the agent should be told.
func (m HookMail) endsSoon() bool { return !m.Ends.IsZero() && m.Left < bridge.ExpiresSoon }

func (m HookMail) ended() bool { return m.Left == 0 }

func (m HookMail) toldEnd() binding.ToldEnd { return binding.ToldEnd{At: m.Ends, Over: m.ended()} }

// untoldEnd reports whether the agent has not yet been told of this end. The end of an
// extended conversation is a new one, and an end that has passed is reported separately
// from the announcement before it.
func untoldEnd(n *binding.Notices, m HookMail) bool {
	told := n.Ends[m.Key()]
	return !told.At.Equal(m.Ends) || told.Over != m.ended()
}

// newEnd reports whether the agent is to be told of an end at this event. An end that
// has passed does not keep the agent from stopping, because there is nothing it could
// do about it.
func (e HookEvent) newEnd(n *binding.Notices, m HookMail) bool {
	switch e.Kind {
	case HookSessionStart:
		return true
	case HookStop:
		return !m.ended() && untoldEnd(n, m)
	}
	return untoldEnd(n, m)
}

const (
	soonStart = "Ending soon: "
	overStart = "Ended: "
)

// endNotices returns the parts of the notice about conversations that end soon or have
// ended.
func endNotices(ends []HookMail) (parts []string) {
	var soon, over []string
	for _, m := range ends[:min(len(ends), maxHookSessions)] {
		who := fmt.Sprintf("%s (you are session %s)", m.Conversation, m.Session)
		if m.ended() {
			over = append(over, fmt.Sprintf("%s at %s, readable until %s", who, stamp(m.Ends), stamp(m.Ends.Add(bridge.Grace))))
			continue
		}
		soon = append(soon, fmt.Sprintf("%s in %d min", who, int64(m.Left.Round(time.Minute)/time.Minute)))
	}
	if len(soon) > 0 {
		parts = append(parts, soonStart+strings.Join(soon, ", ")+". Call the bridge's extend_conversation tool if you need more time.")
	}
	if len(over) > 0 {
		parts = append(parts, overStart+strings.Join(over, ", ")+". Nothing new is accepted there.")
	}
	if more := len(ends) - maxHookSessions; more > 0 {
		parts = append(parts, fmt.Sprintf("%d other conversations end or have ended.", more))
	}
	return parts
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// untilSoon returns the time until the first of the conversations is within
// bridge.ExpiresSoon of its end; 0 if there is none.
func untilSoon(mail []HookMail) (first time.Duration) {
	for _, m := range mail {
		if d := m.Left - bridge.ExpiresSoon; d > 0 && (first == 0 || d < first) {
			first = d
		}
	}
	return first
}
