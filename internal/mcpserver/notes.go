package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

// notes holds what any answer may contain besides its own facts.
type notes struct {
	// Ignored lists the arguments that the tool does not have.
	Ignored []string `json:"ignored_arguments,omitempty"`
	// ExpiresIn is the remaining lifetime of the conversation in seconds; it is set only
	// when little is left.
	ExpiresIn *int64 `json:"expires_in,omitempty"`
	// ExpiredAt and ReadUntil are set once the conversation has expired.
	ExpiredAt view.Time `json:"expired_at,omitzero"`
	ReadUntil view.Time `json:"read_until,omitzero"`
	// Shared holds the files that both sides named within an hour; SharedFiles is its form
	// for JSON.
	Shared      bridge.Shared `json:"-"`
	SharedFiles []string      `json:"shared_files,omitempty"`
}

// sharedLine returns a line about files that other sessions have named too, or "".
func sharedLine(shared bridge.Shared) string {
	if len(shared) == 0 {
		return ""
	}
	who := "Your partner works"
	var parts []string
	for _, other := range shared.Sessions() {
		part := fmt.Sprintf("%q", view.Kinds(shared[other]))
		if other != "" {
			who, part = "Others work", fmt.Sprintf("session %s on %s", other, part)
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("\n%s on these files, too: %s (named within the last hour; untrusted). Agree who changes them.", who, strings.Join(parts, ", "))
}

// notesOf returns the notes about the end of a conversation, if it is near.
func notesOf(s bridge.Standing) (n notes) {
	n.Shared = s.Shared
	left := s.Left()
	if left >= bridge.ExpiresSoon {
		return n
	}
	seconds := int64(left.Seconds())
	n.ExpiresIn = &seconds
	if left == 0 {
		n.ExpiredAt, n.ReadUntil = view.Time(s.ExpiresAt), view.Time(s.ExpiresAt.Add(bridge.Grace))
	}
	return n
}

// text formats the notes, one per line.
func (n notes) text() string {
	var out strings.Builder
	if len(n.Ignored) > 0 {
		out.WriteString("\nIgnored arguments: " + strings.Join(n.Ignored, ", ") + ".")
	}
	out.WriteString(sharedLine(n.Shared))
	switch {
	case !n.ExpiredAt.IsZero():
		fmt.Fprintf(&out, "\nThis conversation expired at %s and accepts nothing new. It can be read until %s.",
			view.Stamp(time.Time(n.ExpiredAt)), view.Stamp(time.Time(n.ReadUntil)))
	case n.ExpiresIn != nil:
		fmt.Fprintf(&out, "\nThis conversation expires in %d seconds. Call extend_conversation if you need it longer.", *n.ExpiresIn)
	}
	return out.String()
}

// onto appends the notes to the data of an answer.
func (n notes) onto(data any) (any, error) {
	if n.Shared != nil {
		n.SharedFiles = view.Kinds(n.Shared.Files()) // text written by another agent, so cleaned
	}
	more, err := json.Marshal(n)
	if err != nil || string(more) == "{}" {
		return data, err
	}
	own, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	if string(own) == "{}" {
		return json.RawMessage(more), nil
	}
	return json.RawMessage(bytes.Join([][]byte{bytes.TrimSuffix(own, []byte("}")), more[1:]}, []byte(","))), nil
}
