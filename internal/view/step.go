package view

import (
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/steps"
)

// Step is a line of the log of a conversation.
type Step struct {
	Number    int64  `json:"number"`
	SessionID string `json:"session_id"`
	TaskID    *int64 `json:"task_id,omitempty"`
	At        Time   `json:"at"`
	// Text is an agent's, on one line and without what could control a terminal.
	Text          string   `json:"text"`
	RedactedKinds []string `json:"redacted_kinds"`
	Trust         string   `json:"trust"`
}

// StepOf is s as it may be shown.
func StepOf(s steps.Step) Step {
	v := Step{
		Number: s.Number, SessionID: string(s.Session), At: Time(s.At), Text: cleantext.CleanLine(s.Text),
		RedactedKinds: Kinds(s.Redacted), Trust: untrusted,
	}
	if s.Task != 0 {
		v.TaskID = &s.Task
	}
	return v
}
