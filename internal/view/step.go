package view

import (
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/steps"
)

// Step is a line of the step log of a conversation.
type Step struct {
	Number    int64  `json:"number"`
	SessionID string `json:"session_id"`
	TaskID    *int64 `json:"task_id,omitempty"`
	At        Time   `json:"at"`
	// Text was written by an agent. It is a single line without terminal
	// controls.
	Text          string   `json:"text"`
	RedactedKinds []string `json:"redacted_kinds"`
	Trust         string   `json:"trust"`
}

// StepOf returns s in a form that may be shown.
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
