package agents

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
)

// endsSoon reports a conversation of which there is something to say: it ends
// within bridge.ExpiresSoon, or has ended.
func (m HookMail) endsSoon() bool { return !m.Ends.IsZero() && m.Left < bridge.ExpiresSoon }

func (m HookMail) ended() bool { return m.Left == 0 }

func (m HookMail) toldEnd() binding.ToldEnd { return binding.ToldEnd{At: m.Ends, Over: m.ended()} }

// untoldEnd reports an end that the agent was not told of: an extended
// conversation has another one, and one that came is another fact than one to come.
func untoldEnd(n *binding.Notices, m HookMail) bool {
	told := n.Ends[m.Key()]
	return !told.At.Equal(m.Ends) || told.Over != m.ended()
}

// newEnd reports whether an event tells of an end. Nothing can be done about one
// that came, so it keeps nobody from ending.
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

// endNotices says which conversations end soon, and which have ended.
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
		parts = append(parts, overStart+strings.Join(over, ", ")+". Nothing new is taken there.")
	}
	if more := len(ends) - maxHookSessions; more > 0 {
		parts = append(parts, fmt.Sprintf("%d other conversations end or have ended.", more))
	}
	return parts
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// untilSoon is how long it is until the first of the conversations ends soon; 0
// where none will.
func untilSoon(mail []HookMail) (first time.Duration) {
	for _, m := range mail {
		if d := m.Left - bridge.ExpiresSoon; d > 0 && (first == 0 || d < first) {
			first = d
		}
	}
	return first
}
