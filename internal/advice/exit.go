package advice

// Exit codes. Scripts rely on them: a meaning never changes.
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

// Exits documents the codes, for the help and docs/cli.md.
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
	{ExitRefused, "the store or its key was refused: foreign, newer, not fitting, open to others"},
	{ExitUnauthorized, "the token was refused, by a command that speaks for a session"},
	{ExitExpired, "the conversation of such a command has expired"},
	{ExitNotConfirmed, "no human at a terminal confirmed it"},
	{ExitSlower, "`bench --compare` found a figure that is worse"},
	{ExitFinding, "`harness` found something wrong with the server"},
	{ExitBadSuite, "the suite or the arguments of `harness` are wrong; nothing was started"},
	{ExitNoServer, "the server that `harness` should test could not be started"},
	{ExitLeft, "`cleanup` is done, but for conversations whose ends were moved"},
}
