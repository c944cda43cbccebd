package faultytest

import (
	"fmt"
	"strings"
)

// Fault is one way in which the server can misbehave.
type Fault struct {
	Name, About string
	// Kind is the kind of finding that the harness must report for it, and By the way in
	// which it is found. Both are empty for behaviour that is allowed and must not be
	// reported.
	Kind string
	By   By
}

// By is the way in which a fault is found.
type By string

// Ways in which faults are found.
const (
	ByRun      By = "run"
	ByRevision By = "run at a revision" // a revision that the server refuses
	ByList     By = "snapshot"
	ByDiff     By = "diff"
	ByProbe    By = "probe"
	ByWeb      By = "probe over HTTP"
	ByFuzz     By = "fuzz"
)

// FoundBy returns the faults that are found in the given way.
func FoundBy(way By) (list []Fault) {
	for _, f := range Faults {
		if f.By == way {
			list = append(list, f)
		}
	}
	return list
}

// Faults is the list of all faults.
var Faults = []Fault{
	{"stray-start", "prints a banner on standard output before the first request", "stray-output", ByRun},
	{"stray-line", "prints a log line on standard output before the answer to a call", "stray-output", ByRun},
	{"stray-json", "prints a log line that is a JSON object", "stray-output", ByRun},
	{"garbage", "answers a call with half a JSON object", "malformed-message", ByRun},
	{"invalid-utf8", "answers a call with bytes that are not UTF-8", "malformed-message", ByRun},
	{"deep-answer", "answers a call with 200,000 nested arrays", "malformed-message", ByRun},
	{"batch-answer", "answers a call with an array of one answer", "malformed-message", ByRun},
	{"no-version", "leaves jsonrpc out of its answers to calls", "malformed-message", ByRun},
	{"result-and-error", "answers a call with both a result and an error", "malformed-message", ByRun},
	{"no-result", "answers a call with neither result nor error", "malformed-message", ByRun},
	{"bad-error", "answers a call with an error whose code is a string", "malformed-message", ByRun},
	{"wrong-id", "answers a call under an id that was never used", "wrong-id", ByRun},
	{"id-as-text", "returns a numeric id as a string", "wrong-id", ByRun},
	{"null-id", "answers a call under the id null", "wrong-id", ByRun},
	{"answer-twice", "answers each call twice", "wrong-id", ByRun},
	{"silent-start", "answers nothing at all", "no-start", ByRun},
	{"silent-call", "answers no call", "no-answer", ByRun},
	{"crash-start", "ends immediately with exit code 3", "no-start", ByRun},
	{"crash-call", "ends with exit code 3 in the middle of a call", "crash", ByRun},
	{"exit-code", "ends with exit code 4 when told to end", "crash", ByRun},
	{"huge-answer", "answers a call with 50 MB", "too-large", ByRun},
	{"flood", "sends an endless stream of notifications instead of an answer", "flood", ByRun},
	{"no-input-schema", "lists a tool without inputSchema", "malformed-tool", ByRun},
	{"array-schema", "lists a tool whose inputSchema is an array", "malformed-tool", ByRun},
	{"text-schema", "lists a tool whose inputSchema has the type string", "malformed-tool", ByRun},
	{"nameless-tool", "lists a tool without a name", "malformed-tool", ByRun},
	{"same-name", "lists two tools with the same name", "malformed-tool", ByRun},
	{"tools-object", "lists its tools as an object", "malformed-list", ByRun},
	{"endless-pages", "returns the same cursor with each page of its list", "malformed-list", ByRun},
	{"file-ref", "refers in an inputSchema to a file", "outside-ref", ByRun},
	{"web-ref", "refers in an outputSchema to a web address", "outside-ref", ByRun},
	{"bad-structured", "returns a structured result that outputSchema forbids", "output-schema", ByRun},
	{"no-structured", "declares outputSchema but returns only text", "output-schema", ByRun},
	{"forms-disagree", "returns different content as text and as structured result", "forms-disagree", ByRun},
	{"content-object", "returns content that is not an array", "malformed-result", ByRun},
	{"unknown-content", "returns a content block of an unknown type", "malformed-result", ByRun},
	{"child-detached", "leaves a process behind in a separate session", "left-process", ByRun},
	{"child-left", "leaves a process behind in its own group", "left-process", ByRun},
	{"ignore-term", "continues when its input has ended and it is told to end", "no-exit", ByRun},
	{"leak-secret", "repeats a secret from its environment in an answer", "leaked-secret", ByRun},
	{"slow", "takes 400 ms for each call", "slow", ByRun},
	{"flaky", "fails every first call", "flaky", ByRun},
	{"wrong-answer", "adds wrongly", "mismatch", ByRun},
	{"tool-error", "fails when it should not", "mismatch", ByRun},
	{"unknown-revision", "negotiates an unknown revision", "wrong-revision", ByRun},
	{"no-revision", "gives no revision in its handshake", "wrong-revision", ByRun},
	{"ask-client", "sends requests to the client where the revision forbids them", "server-request", ByRun},
	{"legacy-only", "refuses revision 2026-07-28", "wrong-revision", ByRevision},
	{"modern-only", "refuses initialize", "wrong-revision", ByRevision},
	{"renamed-parameter", "has a parameter words instead of text", "breaking-change", ByDiff},
	{"removed-tool", "has no tool add", "breaking-change", ByDiff},
	{"required-parameter", "requires one more parameter", "breaking-change", ByDiff},
	{"hidden-unicode", "hides characters in a description", "hidden-text", ByProbe},
	{"concealment", "tells the model in a description to hide something from the user", "concealment", ByProbe},
	{"traversal", "reads files outside of its folder", "traversal", ByProbe},
	{"evaluates", "evaluates an expression in an argument", "evaluates", ByProbe},
	{"any-origin", "answers web pages of other sites", "foreign-origin", ByWeb},
	{"crash-quote", "ends if a text contains a double quote", "crash", ByFuzz},
	{"slow-large", "takes a minute to add a number of 1,000 or more, which is allowed", "", ""},
	{"silent-long", "does not answer if a text has more than 1,000 characters", "no-answer", ByFuzz},
	{"internal-error", "answers a text with a percent sign with the error -32603", "internal-error", ByFuzz},
	{"takes-invalid", "adds values that are not numbers", "takes-invalid", ByFuzz},
	{"template-malformed", "lists a resource template that is not a URI template", "malformed-list", ByList},
	{"template-hidden", "hides a character in the description of a template", "hidden-text", ByProbe},
	{"template-traversal", "reads files outside of its folder through a template", "traversal", ByProbe},
	{"template-evaluates", "evaluates an expression in a template's variable", "evaluates", ByProbe},
	{"read-any-file", "reads any file whose address a client requests", "traversal", ByProbe},
	{"template-crash", "ends if a template's variable contains a double quote", "crash", ByFuzz},
	{"template-silent", "does not answer if a template's variable has more than 1,000 characters", "no-answer", ByFuzz},
	{"template-contents", "returns a resource whose contents are not an array", "malformed-result", ByFuzz},
	{"prompt-arguments", "lists a prompt whose arguments are an object", "malformed-list", ByList},
	{"prompt-list-hidden", "reverses the text direction in the description of a prompt's argument", "hidden-text", ByProbe},
	{"prompt-hidden", "hides characters in the message of a prompt", "hidden-text", ByProbe},
	{"prompt-concealment", "tells the model in the message of a prompt to hide something from the user", "concealment", ByProbe},
	{"prompt-traversal", "puts files outside of its folder into a prompt", "traversal", ByProbe},
	{"prompt-evaluates", "evaluates an expression in a prompt's argument", "evaluates", ByProbe},
	{"prompt-crash", "ends if a prompt's argument contains a percent sign", "crash", ByFuzz},
	{"prompt-silent", "does not answer if a prompt's argument has more than 1,000 characters", "no-answer", ByFuzz},
	{"prompt-role", "returns a message with the role system", "malformed-result", ByFuzz},
	{"prompt-messages", "returns messages that are not an array", "malformed-result", ByFuzz},
	{"prompt-takes-invalid", "answers a prompt without its required argument", "takes-invalid", ByFuzz},
}

// parse converts comma-separated names to a set.
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
