package view

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Message is a message with who sent it.
type Message struct {
	MessageID int64 `json:"message_id"`
	// ConversationID is set where messages of several conversations are together.
	ConversationID string   `json:"conversation_id,omitempty"`
	Seq            int64    `json:"seq"`
	From           string   `json:"from"`
	FromRole       string   `json:"from_role,omitempty"` // for the operator
	To             string   `json:"to"`                  // with commas between several
	ActionType     string   `json:"action_type"`
	Message        string   `json:"message"`
	FilesInvolved  []string `json:"files_involved"`
	RedactedKinds  []string `json:"redacted_kinds"`
	SentAt         Time     `json:"sent_at"`
	Read           bool     `json:"read"`
	// ReplyTo is the message that it answers.
	ReplyTo int64 `json:"reply_to,omitempty"`
	// Redelivered is for the agent that is handed the message: it may have it.
	Redelivered bool   `json:"redelivered"`
	Trust       string `json:"trust"`
	// Characters is how long the whole message is and NextChar where the rest of
	// it begins, where a client does not show all of it.
	Characters int `json:"characters,omitempty"`
	NextChar   int `json:"next_char,omitempty"`
}

// trustOf is how far a message can be trusted. Only the operator's own is: no
// session can send as the operator.
func trustOf(m bridge.Message) string {
	if m.From == bridge.Operator {
		return bridge.Operator
	}
	return untrusted
}

// OfMessage is m for its recipient.
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

// MessageOf is m for the operator, with its sender's role in the conversation o.
func MessageOf(m bridge.Message, o bridge.Overview) Message {
	v := OfMessage(m)
	v.FromRole = cleantext.Clean(SenderRole(m, o))
	return v
}

// SenderRole is the role of who sent m; empty for the bridge itself.
func SenderRole(m bridge.Message, o bridge.Overview) string {
	return o.Sessions.Role(bridge.SessionID(m.From))
}

// WriteMessage writes a message as text for an agent. Each line of the message
// begins with "> ", so that none can pass for a header or for the bridge's words.
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

// Unread says how much mail waits, as every answer to an agent does.
func Unread(n int64) string {
	if n == 0 {
		return "Unread: 0."
	}
	return fmt.Sprintf("Unread: %d. Call check_messages.", n)
}

// Redacted says what was hidden; it is empty where nothing was.
func Redacted(kinds []string) string {
	if len(kinds) == 0 {
		return ""
	}
	return " Redacted: " + strings.Join(kinds, ", ") + "."
}
