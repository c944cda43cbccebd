// Package finding is what the harness can find out about a server, and the one list of
// the kinds of findings.
package finding

// Kind names one kind of finding. Reports and docs/harness.md use the same names.
type Kind string

// Finding is one fault of a server. Where is the place in the server's contract or the
// suite ("tool add", "step create"), Text says what was seen, with at most a short
// excerpt of it. Both may hold what the server said: reports redact and clean them.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Where string `json:"where,omitempty"`
	Text  string `json:"text"`
}

// Message is a finding on one line without its kind.
func (f Finding) Message() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Where + ": " + f.Text
}

// Kinds of findings.
const (
	NoStart        Kind = "no-start"
	WrongRevision  Kind = "wrong-revision"
	StrayOutput    Kind = "stray-output"
	Malformed      Kind = "malformed-message"
	WrongID        Kind = "wrong-id"
	NoAnswer       Kind = "no-answer"
	Crash          Kind = "crash"
	TooLarge       Kind = "too-large"
	Flood          Kind = "flood"
	ServerRequest  Kind = "server-request"
	LeftProcess    Kind = "left-process"
	NoExit         Kind = "no-exit"
	BadList        Kind = "malformed-list"
	BadTool        Kind = "malformed-tool"
	OutsideRef     Kind = "outside-ref"
	BadResult      Kind = "malformed-result"
	OutputSchema   Kind = "output-schema"
	Disagree       Kind = "forms-disagree"
	LeakedSecret   Kind = "leaked-secret"
	Mismatch       Kind = "mismatch"
	Slow           Kind = "slow"
	Flaky          Kind = "flaky"
	Memory         Kind = "memory"
	TokenBudget    Kind = "token-budget"
	BreakingChange Kind = "breaking-change"
	HiddenText     Kind = "hidden-text"
	Concealment    Kind = "concealment"
	Traversal      Kind = "traversal"
	Evaluates      Kind = "evaluates"
	ForeignOrigin  Kind = "foreign-origin"
	InternalError  Kind = "internal-error"
	TakesInvalid   Kind = "takes-invalid"
)

// Kinds explains all kinds, in the order of docs/harness.md.
var Kinds = []struct {
	Kind  Kind
	About string
}{
	{NoStart, "the server did not start, or did not answer the first request in time"},
	{WrongRevision, "the revision of the protocol on the wire is missing, unknown or not the one that the suite wants"},
	{StrayOutput, "a line on standard output that is not a JSON-RPC message; logs belong on standard error"},
	{Malformed, "a message that JSON-RPC 2.0 forbids"},
	{WrongID, "an answer to a request that was never made or was answered before"},
	{NoAnswer, "a request was not answered in time"},
	{Crash, "the server ended by itself, or ended with an exit code other than 0"},
	{TooLarge, "a message is larger than the harness takes (8 MiB)"},
	{Flood, "more messages or bytes than anybody asked for; the server was ended"},
	{ServerRequest, "the server made a request where the revision forbids it"},
	{LeftProcess, "a process that the server started outlived it; it was ended"},
	{NoExit, "the server went on after its input had ended and it was told to end; it was killed"},
	{BadList, "a list that the protocol forbids: no array, pages without end, or an item that no client can use"},
	{BadTool, "a tool without a name or a usable inputSchema, or a name that is used twice"},
	{OutsideRef, "a schema refers to a file or an address; the harness opens neither"},
	{BadResult, "a result whose content the protocol forbids"},
	{OutputSchema, "a result does not fit the outputSchema of its tool"},
	{Disagree, "the text and the structured form of a result say different things"},
	{LeakedSecret, "an answer holds a secret that the suite gave to the server"},
	{Mismatch, "an answer is not what the case expects"},
	{Slow, "an answer took longer than the case allows"},
	{Flaky, "a case failed first and passed when it was tried again"},
	{Memory, "the server's resident memory went over the limit of the suite"},
	{TokenBudget, "the list of tools costs a model more tokens than the suite allows"},
	{BreakingChange, "the server promises something else than a snapshot says, and clients can fail"},
	{HiddenText, "a text that models read holds characters that nobody sees"},
	{Concealment, "a text asks a model to keep something from its user, or to drop its instructions"},
	{Traversal, "a tool, prompt or resource gives a file outside of the server's folder"},
	{Evaluates, "a tool, prompt or resource runs a part of an argument as code"},
	{ForeignOrigin, "the server answers a web page of another site, or under a foreign host name"},
	{InternalError, "a call is answered with the JSON-RPC error -32603: a fault inside of the server"},
	{TakesInvalid, "a call succeeds though its arguments do not fit the inputSchema, or a prompt's list of arguments"},
}
