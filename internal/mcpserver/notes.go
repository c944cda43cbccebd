package mcpserver

import (
	"bytes"
	"encoding/json"
	"strings"
)

// notes are what any answer may say beside its own facts.
type notes struct {
	// Ignored names the arguments that the tool does not know.
	Ignored []string `json:"ignored_arguments,omitempty"`
}

// text is what the notes say, a line each.
func (n notes) text() string {
	var out strings.Builder
	if len(n.Ignored) > 0 {
		out.WriteString("\nIgnored arguments: " + strings.Join(n.Ignored, ", ") + ".")
	}
	return out.String()
}

// onto adds the notes to the data of an answer, behind its own fields.
func (n notes) onto(data any) (any, error) {
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
