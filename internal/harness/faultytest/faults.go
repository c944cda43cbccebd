package faultytest

import (
	"fmt"
	"strings"
)

// Fault is one way in which the server can misbehave.
type Fault struct {
	Name, About string
	// Kind is the kind of the finding that a run of the harness must make of it.
	// It is empty where a run finds nothing: the fault shows in a comparison with a
	// snapshot only, or in a probe.
	Kind string
}

// Faults is the list of all faults.
var Faults = []Fault{
	{"stray-start", "prints a banner on standard output before anything is asked", "stray-output"},
	{"stray-line", "prints a log line on standard output before the answer to a call", "stray-output"},
	{"stray-json", "prints a log line that is a JSON object", "stray-output"},
	{"garbage", "answers a call with half a JSON object", "malformed-message"},
	{"invalid-utf8", "answers a call with bytes that are no UTF-8", "malformed-message"},
	{"deep-answer", "answers a call with 200,000 nested arrays", "malformed-message"},
	{"batch-answer", "answers a call with an array of one answer", "malformed-message"},
	{"no-version", "leaves jsonrpc out of its answers to calls", "malformed-message"},
	{"result-and-error", "answers a call with a result and an error at once", "malformed-message"},
	{"no-result", "answers a call with neither result nor error", "malformed-message"},
	{"bad-error", "answers a call with an error whose code is a string", "malformed-message"},
	{"wrong-id", "answers a call under an id that was never used", "wrong-id"},
	{"id-as-text", "turns the number of an id into text", "wrong-id"},
	{"null-id", "answers a call under the id null", "wrong-id"},
	{"answer-twice", "answers each call two times", "wrong-id"},
	{"silent-start", "answers nothing at all", "no-start"},
	{"silent-call", "answers no call", "no-answer"},
	{"crash-start", "ends at once with exit code 3", "no-start"},
	{"crash-call", "ends with exit code 3 in the middle of a call", "crash"},
	{"exit-code", "ends with exit code 4 when it is told to end", "crash"},
	{"huge-answer", "answers a call with 12 MiB", "too-large"},
	{"flood", "sends notifications without end instead of an answer", "flood"},
	{"no-input-schema", "lists a tool without inputSchema", "malformed-tool"},
	{"array-schema", "lists a tool whose inputSchema is an array", "malformed-tool"},
	{"text-schema", "lists a tool whose inputSchema has the type string", "malformed-tool"},
	{"nameless-tool", "lists a tool without a name", "malformed-tool"},
	{"same-name", "lists two tools of one name", "malformed-tool"},
	{"tools-object", "lists its tools as an object", "malformed-list"},
	{"endless-pages", "gives the same cursor with each page of its list", "malformed-list"},
	{"file-ref", "refers in an inputSchema to a file", "outside-ref"},
	{"web-ref", "refers in an outputSchema to a web address", "outside-ref"},
	{"bad-structured", "gives a structured result that outputSchema forbids", "output-schema"},
	{"no-structured", "declares outputSchema and gives text only", "output-schema"},
	{"forms-disagree", "says one thing in text and another in the structured result", "forms-disagree"},
	{"content-object", "gives content that is no array", "malformed-result"},
	{"unknown-content", "gives a content block of a type that there is not", "malformed-result"},
	{"child-detached", "leaves a process behind in a session of its own", "left-process"},
	{"child-left", "leaves a process behind in its own group", "left-process"},
	{"ignore-term", "goes on when its input has ended and it is told to end", "no-exit"},
	{"leak-secret", "repeats a secret of its environment in an answer", "leaked-secret"},
	{"slow", "takes 400 ms for each call", "slow"},
	{"flaky", "fails each first call", "flaky"},
	{"wrong-answer", "adds wrongly", "mismatch"},
	{"tool-error", "fails where it should not", "mismatch"},
	{"unknown-revision", "negotiates a revision that there is not", "wrong-revision"},
	{"no-revision", "says no revision in its handshake", "wrong-revision"},
	{"ask-client", "sends requests to the client where the revision forbids them", "server-request"},
	{"legacy-only", "refuses revision 2026-07-28", ""},
	{"modern-only", "refuses initialize", ""},
	{"renamed-parameter", "takes words instead of text", ""},
	{"removed-tool", "has no tool add", ""},
	{"required-parameter", "wants one more parameter", ""},
	{"hidden-unicode", "hides characters in a description", ""},
	{"concealment", "tells the model in a description to keep something from the user", ""},
	{"traversal", "reads files outside of its folder", ""},
	{"evaluates", "works out an expression in an argument", ""},
	{"any-origin", "answers pages of other sites", ""},
	{"crash-quote", "ends where a text has a double quote", ""},
	{"slow-large", "takes a minute to add a number of 1,000 or more, as it may", ""},
	{"silent-long", "does not answer where a text has more than 1,000 characters", ""},
	{"internal-error", "answers a text with a percent sign with the error -32603", ""},
	{"takes-invalid", "adds what is no number", ""},
}

// parse turns names with commas between them into a set.
func parse(names string) (map[string]bool, error) {
	on := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		if name == "" {
			continue
		}
		if !known(name) {
			return nil, fmt.Errorf("there is no fault %q", name)
		}
		on[name] = true
	}
	return on, nil
}

func known(name string) bool {
	for _, f := range Faults {
		if f.Name == name {
			return true
		}
	}
	return false
}
