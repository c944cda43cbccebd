package view

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Message is a message with its sender.
type Message struct {
	MessageID int64 `json:"message_id"`
	// ConversationID is set in lists with messages of several conversations.
	ConversationID string   `json:"conversation_id,omitempty"`
	Seq            int64    `json:"seq"`
	From           string   `json:"from"`
	FromRole       string   `json:"from_role,omitempty"` // for the operator
	To             string   `json:"to"`                  // separated by commas if there are several
	ActionType     string   `json:"action_type"`
	Message        string   `json:"message"`
	FilesInvolved  []string `json:"files_involved"`
	RedactedKinds  []string `json:"redacted_kinds"`
	SentAt         Time     `json:"sent_at"`
	Read           bool     `json:"read"`
	// ReplyTo is the message that this one answers.
	ReplyTo int64 `json:"reply_to,omitempty"`
	// Redelivered is set for the agent that is handed the message, because it
	// may already have it.
	Redelivered bool   `json:"redelivered"`
	Trust       string `json:"trust"`
	// Characters is the length of the whole message. NextChar is where the rest
	// of it begins, if a client does not show all of it.
	Characters int `json:"characters,omitempty"`
	NextChar   int `json:"next_char,omitempty"`
}

// trustOf returns how far a message can be trusted. Only the operator's
// messages are trusted, since no session can send as the operator.
func trustOf(m bridge.Message) string {
	if m.From == bridge.Operator {
		return bridge.Operator
	}
	return untrusted
}

// OfMessage returns the view of m for its recipient.
func OfMessage(m bridge.Message) Message {
	return Message{
		MessageID:      m.ID,
		ConversationID: cleantext.CleanLine(m.Conversation),
		Seq:            m.Seq,
		From:           cleantext.CleanLine(m.From),
		To:             cleantext.CleanLine(m.To.String()),
		ActionType:     cleantext.CleanLine(string(m.Action)),
		Message:        cleantext.Clean(m.Text),
		FilesInvolved:  Kinds(m.Files),
		RedactedKinds:  Kinds(m.Redacted),
		SentAt:         Time(m.SentAt),
		Read:           m.Read,
		Redelivered:    m.Redelivered,
		ReplyTo:        m.ReplyTo,
		Trust:          trustOf(m),
	}
}

// MessageOf returns the view of m for the operator, with its sender's role in
// the conversation o.
func MessageOf(m bridge.Message, o bridge.Overview) Message {
	v := OfMessage(m)
	v.FromRole = cleantext.Clean(SenderRole(m, o))
	return v
}

// SenderRole returns the role of m's sender; empty for the bridge itself.
func SenderRole(m bridge.Message, o bridge.Overview) string {
	return o.Sessions.Role(bridge.SessionID(m.From))
}

// WriteMessage writes a message as text for an agent. Each line of the message
// begins with "> ", so that it cannot be mistaken for a header or for text of the
// bridge.
func WriteMessage(out *strings.Builder, m bridge.Message) {
	fmt.Fprintf(out, "\n[message %d, seq %d] from %s to %s, %s, %s, trust: %s", m.ID, m.Seq, m.From, m.To, m.Action, Stamp(m.SentAt), trustOf(m))
	if m.Conversation != "" {
		out.WriteString(", conversation " + cleantext.CleanLine(m.Conversation))
	}
	if m.ReplyTo != 0 {
		fmt.Fprintf(out, ", answers message %d", m.ReplyTo)
	}
	if m.Read {
		out.WriteString(", read")
	}
	if m.Redelivered {
		out.WriteString(", redelivered (you may have seen it)")
	}
	if len(m.Redacted) > 0 {
		fmt.Fprintf(out, ", redacted: %s", strings.Join(Kinds(m.Redacted), ", "))
	}
	if len(m.Files) > 0 {
		fmt.Fprintf(out, ", files: %q", Kinds(m.Files))
	}
	out.WriteString("\n" + cleantext.Quote(m.Text) + "\n")
}

// Unread returns the line about unread mail that every answer to an agent
// contains.
func Unread(n int64) string {
	if n == 0 {
		return "Unread: 0."
	}
	return fmt.Sprintf("Unread: %d. Call check_messages.", n)
}

// Redacted describes what was hidden; "" if nothing was.
func Redacted(kinds []string) string {
	if len(kinds) == 0 {
		return ""
	}
	return " Redacted: " + strings.Join(kinds, ", ") + "."
}
