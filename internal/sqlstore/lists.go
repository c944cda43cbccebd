package sqlstore

import (
	"encoding/json"
	"slices"

	"example.org/bridge/internal/bridge"
)

// List is how a list of strings is stored.
func List(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	encoded, _ := json.Marshal(items) // strings always encode
	return string(encoded)
}

// FromList reads it back. A damaged list must not keep its message from being
// delivered: it comes out as what is there.
func FromList(text string) []string {
	var items []string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return []string{text}
	}
	if len(items) == 0 {
		return nil
	}
	return items
}

// FromLetters reads the letters of sessions, one behind the other, in any order.
func FromLetters(letters string) bridge.Recipients {
	to := make(bridge.Recipients, 0, len(letters))
	for _, letter := range letters {
		to = append(to, bridge.SessionID(letter))
	}
	slices.Sort(to)
	return to
}
