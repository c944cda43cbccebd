package mcpserver

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// messageData is a message as the tools show it: cleaned, and with who sent it.
type messageData struct {
	MessageID   int64    `json:"message_id"`
	Seq         int64    `json:"seq"`
	From        string   `json:"from"`
	To          string   `json:"to"`
	ActionType  string   `json:"action_type"`
	Message     string   `json:"message"`
	Files       []string `json:"files_involved"`
	Redacted    []string `json:"redacted_kinds"`
	SentAt      string   `json:"sent_at"`
	Read        bool     `json:"read"`
	Redelivered bool     `json:"redelivered"`
	Trust       string   `json:"trust"`
	// Characters is how long the whole message is and NextChar where the rest of
	// it begins, where the client does not show all of it.
	Characters int `json:"characters,omitempty"`
	NextChar   int `json:"next_char,omitempty"`
}

func present(m bridge.Message) messageData {
	return messageData{
		MessageID:   m.ID,
		Seq:         m.Seq,
		From:        m.From,
		To:          string(m.To),
		ActionType:  string(m.Action),
		Message:     bridge.Clean(m.Text),
		Files:       cleanLines(m.Files),
		Redacted:    list(m.Redacted),
		SentAt:      stamp(m.SentAt),
		Read:        m.Read,
		Redelivered: m.Redelivered,
		Trust:       "untrusted",
	}
}

// writeMessage writes a message as text. Each line of its own begins with "> ",
// so that none can pass for a header or for the bridge's words.
func writeMessage(out *strings.Builder, m bridge.Message) {
	fmt.Fprintf(out, "\n[message %d, seq %d] from %s to %s, %s, %s, trust: untrusted", m.ID, m.Seq, m.From, m.To, m.Action, stamp(m.SentAt))
	if m.Read {
		out.WriteString(", read")
	}
	if m.Redelivered {
		out.WriteString(", redelivered (you may have seen it)")
	}
	if len(m.Redacted) > 0 {
		fmt.Fprintf(out, ", redacted: %s", strings.Join(m.Redacted, ", "))
	}
	if len(m.Files) > 0 {
		fmt.Fprintf(out, ", files: %q", cleanLines(m.Files))
	}
	out.WriteString("\n" + bridge.Quote(m.Text) + "\n")
}

// redactedNote says what was hidden; it is empty where nothing was.
func redactedNote(kinds []string) string {
	if len(kinds) == 0 {
		return ""
	}
	return " Redacted: " + strings.Join(kinds, ", ") + "."
}

func unreadLine(unread int64) string {
	if unread == 0 {
		return "Unread: 0."
	}
	return fmt.Sprintf("Unread: %d. Call check_messages.", unread)
}

// stamp is how the tools write a time; the zero time is "never".
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func cleanLines(lines []string) []string {
	clean := make([]string, len(lines))
	for i, l := range lines {
		clean[i] = bridge.CleanLine(l)
	}
	return clean
}

// list makes nil an empty list, which JSON shows as [] rather than null.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}
