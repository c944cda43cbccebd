package agents

import "encoding/json"

// hookOutput is a hook's output in the format that the three clients share. Gemini CLI
// accepts "block" as its own "deny".
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

// Answer returns what the hook prints so that the agent reads text. At the end of a
// turn, text is the reason to continue; at other events it is added to the agent's
// context.
func (e HookEvent) Answer(text string) ([]byte, error) {
	out := hookOutput{Specific: &hookContext{Event: e.Name, Context: text}}
	if e.Kind == HookStop {
		out = hookOutput{Decision: "block", Reason: text}
	}
	answer, err := json.Marshal(out)
	return append(answer, '\n'), err
}

// TellUser returns what a hook prints so that the client's user reads text.
func TellUser(text string) ([]byte, error) {
	answer, err := json.Marshal(hookOutput{Message: text})
	return append(answer, '\n'), err
}
