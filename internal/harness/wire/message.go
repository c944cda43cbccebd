// Package wire speaks MCP to a server under test. It encodes and decodes JSON-RPC itself,
// because a client library hides what a test must see, such as a stray line, a wrong id, or
// a tool that does not fit the library's types.
//
// Faults of the server become findings of the connection, which continues as far as
// possible. Time, memory and the number of findings are limited, whatever the server sends.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Limits of one connection.
const (
	maxMessage  = 8 << 20   // bytes of one message
	maxTotal    = 512 << 20 // bytes of one connection, including discarded ones
	maxUnasked  = 20_000    // notifications, stray lines and requests of the server
	maxFindings = 50
	maxDepth    = 1000 // of nested arrays and objects
)

// Errors of a call. For each of them there is already a finding in [Conn.Findings].
var (
	ErrNoAnswer = errors.New("the server did not answer in time")
	ErrEnded    = errors.New("the connection to the server has ended")
	ErrBroken   = errors.New("the answer is not usable")
)

// Message is a message received from the wire.
type Message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// RemoteError is a JSON-RPC error returned by the server.
type RemoteError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (e *RemoteError) Error() string { return e.Message }

// Reply is the answer to a call: either a result or an error.
type Reply struct {
	Result json.RawMessage
	Error  *RemoteError
}

// kindOf is the kind of a line received from a server.
type kindOf int

const (
	stray      kindOf = iota // not JSON-RPC at all: a log line
	malformed                // intended as a message, but invalid
	answer                   // an answer, possibly with a fault
	fromServer               // a request of the server
	notification
)

// classify determines the kind of a line. The text says what is wrong with it, or is "".
func classify(line []byte) (m Message, kind kindOf, wrong string) {
	trimmed := bytes.TrimSpace(line)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return m, stray, "this line is not a JSON-RPC message"
	}
	switch {
	case !utf8.Valid(trimmed):
		return m, malformed, "this message is not UTF-8"
	case tooDeep(trimmed):
		return m, malformed, "this message is nested too deeply"
	case trimmed[0] == '[' && json.Valid(trimmed):
		return m, malformed, "this is an array (a batch), which stdio and the current revisions do not have"
	}
	if err := json.Unmarshal(trimmed, &m); err != nil {
		if trimmed[0] == '[' { // may be a log line such as "[INFO] ready"
			return m, stray, "this line is not a JSON-RPC message"
		}
		return m, malformed, "this is not a JSON-RPC message"
	}
	return m, kindOfMessage(m), wrongWith(m)
}

func kindOfMessage(m Message) kindOf {
	switch {
	case m.Method != "" && m.ID != nil:
		return fromServer
	case m.Method != "":
		return notification
	case m.ID != nil || m.Result != nil || m.Error != nil:
		return answer
	}
	return stray
}

// wrongWith returns how a message violates JSON-RPC 2.0 (sections 4 and 5), or "".
func wrongWith(m Message) string {
	kind := kindOfMessage(m)
	switch {
	case kind == stray:
		return "this line is JSON, but not a JSON-RPC message"
	case m.JSONRPC != "2.0":
		return `the member jsonrpc must be "2.0"`
	case kind != answer:
		return ""
	case m.Result != nil && m.Error != nil:
		return "an answer has both a result and an error"
	case m.Result == nil && m.Error == nil:
		return "an answer has neither a result nor an error"
	case m.Error != nil && json.Unmarshal(m.Error, &RemoteError{}) != nil:
		return "the error of an answer must have an integer as its code and a string as its message"
	}
	return ""
}

// tooDeep counts nested brackets outside strings.
func tooDeep(data []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// excerpt returns the beginning of a server's message, for a finding.
func excerpt(data []byte) string {
	const most = 160
	text := string(bytes.ToValidUTF8(bytes.TrimSpace(data[:min(len(data), most)]), []byte("\uFFFD")))
	if len(data) > most {
		text += "…"
	}
	return text
}
