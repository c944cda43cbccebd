package sqlstore

import (
	"encoding/json"
	"slices"

	"example.org/bridge/internal/bridge"
)

// List returns the stored form of a list of strings.
func List(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	encoded, _ := json.Marshal(items) // strings can always be encoded
	return string(encoded)
}

// FromList returns the list of its stored form. Damaged text is returned as the only
// element, so that a message with a damaged list can still be delivered.
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

// FromLetters returns the recipients that a string of session letters stands for,
// sorted.
func FromLetters(letters string) bridge.Recipients {
	to := make(bridge.Recipients, 0, len(letters))
	for _, letter := range letters {
		to = append(to, bridge.SessionID(letter))
	}
	slices.Sort(to)
	return to
}
