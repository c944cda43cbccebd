package agents

import "encoding/json"

// hookOutput is what a hook answers, in the form that the three clients share.
// Gemini CLI takes "block" for its own "deny".
type hookOutput struct {
	Decision string       `json:"decision,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Specific *hookContext `json:"hookSpecificOutput,omitempty"`
	// Message is shown to the user.
	Message string `json:"systemMessage,omitempty"`
}

type hookContext struct {
	Event   string `json:"hookEventName"`
	Context string `json:"additionalContext"`
}

// Answer is what the hook prints so that the agent reads text: at its end, text
// is why it goes on; otherwise it is added to what the agent sees.
func (e HookEvent) Answer(text string) ([]byte, error) {
	out := hookOutput{Specific: &hookContext{Event: e.Name, Context: text}}
	if e.Kind == HookStop {
		out = hookOutput{Decision: "block", Reason: text}
	}
	answer, err := json.Marshal(out)
	return append(answer, '\n'), err
}

// TellUser is what a hook prints so that the user of the client reads text.
func TellUser(text string) ([]byte, error) {
	answer, err := json.Marshal(hookOutput{Message: text})
	return append(answer, '\n'), err
}
