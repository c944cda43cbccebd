package advice

// Exit codes. Scripts rely on them, so a meaning must never change.
const (
	ExitOK             = 0
	ExitFailure        = 1
	ExitUsage          = 2
	ExitNoStore        = 3
	ExitNotFound       = 4
	ExitAuditBroken    = 5
	ExitDoctorProblems = 6
	ExitDoctorWarnings = 7
	ExitRefused        = 8
	ExitUnauthorized   = 9
	ExitExpired        = 10
	ExitNotConfirmed   = 11
	ExitSlower         = 12
	ExitFinding        = 13
	ExitBadSuite       = 14
	ExitNoServer       = 15
	ExitLeft           = 16
)

// Exits describes the codes for the help and for docs/cli.md.
var Exits = []struct {
	Code    int
	Meaning string
}{
	{ExitOK, "done"},
	{ExitFailure, "failed; the message says why"},
	{ExitUsage, "wrong arguments, flags, environment or configuration file"},
	{ExitNoStore, "there is no store yet; nothing was created"},
	{ExitNotFound, "no such conversation, task, request, grant or snapshot"},
	{ExitAuditBroken, "the audit log is not what bridge wrote"},
	{ExitDoctorProblems, "doctor found problems"},
	{ExitDoctorWarnings, "doctor found nothing worse than warnings"},
	{ExitRefused, "the store or its key was refused: foreign, newer, mismatched or accessible to others"},
	{ExitUnauthorized, "the token was refused, by a command that speaks for a session"},
	{ExitExpired, "the conversation of such a command has expired"},
	{ExitNotConfirmed, "not confirmed by a human at a terminal"},
	{ExitSlower, "`bench --compare` found a figure that got worse"},
	{ExitFinding, "`harness` found something wrong with the server"},
	{ExitBadSuite, "the suite or the arguments of `harness` are wrong; nothing was started"},
	{ExitNoServer, "the server that `harness` should test could not be started"},
	{ExitLeft, "`cleanup` is done, except for conversations whose ends were changed by something other than bridge"},
}
