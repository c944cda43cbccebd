package cli

import "fmt"

// usageError is a mistake in how bridge was called or configured.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// exitError ends the process with a code when all has been said already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// Of a wrong value, up to maxEcho characters are repeated to the user whole, and
// no more than maxHint of a longer one, which may be a token in the wrong place.
const (
	maxEcho = 40
	maxHint = 8
)

// echo quotes a name that somebody gave, for an error message.
func echo(name string) string {
	runes := []rune(name)
	if len(runes) > maxEcho {
		return fmt.Sprintf("%q…", string(runes[:maxHint]))
	}
	return fmt.Sprintf("%q", name)
}
