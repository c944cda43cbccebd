// Package finding defines the findings that the harness reports about a server, and lists
// all their kinds.
package finding

// Kind is the name of a kind of finding. Reports and docs/harness.md use the same names.
type Kind string

// Finding is one fault of a server. Where is a place in the server's contract or the suite
// ("tool add", "step create"). Text describes the fault, with at most a short excerpt. Both
// may contain text from the server: reports redact and clean them.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Where string `json:"where,omitempty"`
	Text  string `json:"text"`
}

// Message returns a finding on one line without its kind.
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

// Kinds describes all kinds, in the order of docs/harness.md.
var Kinds = []struct {
	Kind  Kind
	About string
}{
	{NoStart, "the server did not start, or did not answer the first request in time"},
	{WrongRevision, "the revision of the protocol on the wire is missing, unknown or not the one that the suite requires"},
	{StrayOutput, "a line on standard output that is not a JSON-RPC message; logs belong on standard error"},
	{Malformed, "a message that violates JSON-RPC 2.0"},
	{WrongID, "an answer to a request that was never made or was answered before"},
	{NoAnswer, "a request was not answered in time"},
	{Crash, "the server ended by itself, or ended with an exit code other than 0"},
	{TooLarge, "a message is larger than the harness accepts (8 MiB)"},
	{Flood, "too many unsolicited messages, or too much output; the server was ended"},
	{ServerRequest, "the server made a request where the revision forbids it"},
	{LeftProcess, "a process that the server started outlived it; it was ended"},
	{NoExit, "the server continued after its input had ended and it was told to end; it was killed"},
	{BadList, "a list that violates the protocol: not an array, endless pages, or an item that no client can use"},
	{BadTool, "a tool without a name or a usable inputSchema, or a name that is used twice"},
	{OutsideRef, "a schema refers to a file or an address; the harness opens neither"},
	{BadResult, "a result whose content violates the protocol"},
	{OutputSchema, "a result does not fit the outputSchema of its tool"},
	{Disagree, "the text and the structured form of a result differ in content"},
	{LeakedSecret, "an answer contains a secret that the suite passed to the server"},
	{Mismatch, "an answer is not what the case expects"},
	{Slow, "an answer took longer than the case allows"},
	{Flaky, "a case failed first and passed when it was repeated"},
	{Memory, "the server's resident memory exceeded the limit of the suite"},
	{TokenBudget, "the list of tools costs a model more tokens than the suite allows"},
	{BreakingChange, "the server's contract differs from the snapshot in a way that can break clients"},
	{HiddenText, "a text for models contains invisible characters"},
	{Concealment, "a text asks a model to hide something from its user, or to ignore its instructions"},
	{Traversal, "a tool, prompt or resource returns a file outside the server's folder"},
	{Evaluates, "a tool, prompt or resource executes part of an argument as code"},
	{ForeignOrigin, "the server answers a web page of another site, or under a foreign host name"},
	{InternalError, "a call is answered with the JSON-RPC error -32603: an internal error of the server"},
	{TakesInvalid, "a call succeeds although its arguments do not fit the inputSchema, or a prompt's list of arguments"},
}
