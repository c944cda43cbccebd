package cli

import "fmt"

// Exit codes. Scripts rely on them: a meaning never changes.
const (
	exitOK             = 0
	exitFailure        = 1
	exitUsage          = 2
	exitNoStore        = 3
	exitNotFound       = 4
	exitAuditBroken    = 5
	exitDoctorProblems = 6
	exitDoctorWarnings = 7
	exitRefused        = 8
)

// exitCodes documents the codes, for the help and docs/cli.md.
var exitCodes = []struct {
	Code    int
	Meaning string
}{
	{exitOK, "done"},
	{exitFailure, "failed; the message says why"},
	{exitUsage, "wrong arguments, flags, environment or configuration file"},
	{exitNoStore, "there is no store yet; nothing was created"},
	{exitNotFound, "no such conversation"},
	{exitAuditBroken, "the audit log is not what bridge wrote"},
	{exitDoctorProblems, "doctor found problems"},
	{exitDoctorWarnings, "doctor found nothing worse than warnings"},
	{exitRefused, "the store or its key was refused: foreign, newer, not fitting, open to others"},
}

// usageError is a mistake in how bridge was called or configured.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// exitError ends the process with a code when all has been said already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// maxEcho is how many characters of a wrong value are repeated to the user.
const maxEcho = 40

// echo quotes the beginning of a value for an error message. Callers use it for
// names only, never for what might be a secret.
func echo(value string) string {
	runes := []rune(value)
	if len(runes) > maxEcho {
		return fmt.Sprintf("%q…", string(runes[:maxEcho]))
	}
	return fmt.Sprintf("%q", value)
}
