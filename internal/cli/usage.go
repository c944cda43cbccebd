package cli

import "fmt"

// usageError is an error in how bridge was called or configured.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// exitError exits with a code when everything has been printed already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// Of an invalid value, up to maxEcho characters are repeated to the user in full, and
// only maxHint of a longer one, because it may be a token in the wrong place.
const (
	maxEcho = 40
	maxHint = 8
)

// echo quotes a name from the user for an error message.
func echo(name string) string {
	runes := []rune(name)
	if len(runes) > maxEcho {
		return fmt.Sprintf("%q…", string(runes[:maxHint]))
	}
	return fmt.Sprintf("%q", name)
}
