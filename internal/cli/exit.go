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
	exitUnauthorized   = 9
	exitExpired        = 10
	exitNotConfirmed   = 11
	exitSlower         = 12
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
	{exitNotFound, "no such conversation, task, request, grant or snapshot"},
	{exitAuditBroken, "the audit log is not what bridge wrote"},
	{exitDoctorProblems, "doctor found problems"},
	{exitDoctorWarnings, "doctor found nothing worse than warnings"},
	{exitRefused, "the store or its key was refused: foreign, newer, not fitting, open to others"},
	{exitUnauthorized, "the token was refused, by a command that speaks for a session"},
	{exitExpired, "the conversation of such a command has expired"},
	{exitNotConfirmed, "no human at a terminal confirmed it"},
	{exitSlower, "`bench --compare` found a figure that is worse"},
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
