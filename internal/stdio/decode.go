package stdio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// maxBatch is the maximum number of messages in a batch. Without a limit, a frame of tiny
// invalid elements would require an answer forty times its size.
const maxBatch = 1000

// frame is the content of one line of input: a single message, or the messages of a batch.
type frame struct {
	batch    bool
	messages []inbound
}

// inbound is one message from a client: a request, a notification, a response, or the fault
// that describes why it is none of these. An inbound with no field set is ignored.
type inbound struct {
	id    json.RawMessage // as the client wrote it; nil if there is no id to answer with
	req   *jsonrpc.Request
	resp  *jsonrpc.Response
	fault *jsonrpc.Error
}

// faulty returns a frame that is answered with a single error.
func faulty(id json.RawMessage, code int64, format string, args ...any) frame {
	return frame{messages: []inbound{fault(id, code, format, args...)}}
}

func fault(id json.RawMessage, code int64, format string, args ...any) inbound {
	return inbound{id: id, fault: &jsonrpc.Error{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// decodeTooLong returns the fault for a line that was too long, given the prefix that was
// kept.
func decodeTooLong(prefix []byte) frame {
	return faulty(recoverID(prefix), jsonrpc.CodeInvalidRequest, "invalid request: a message may have at most %d bytes; send less at once", maxFrame)
}

// decode decodes one line and does not retain it. A line of white space gives a frame
// without messages.
func decode(line []byte) frame {
	line = trim(line)
	switch {
	case len(line) == 0:
		return frame{}
	case !utf8.Valid(line):
		return faulty(nil, jsonrpc.CodeParseError, "parse error: the message is not valid UTF-8")
	case !json.Valid(line):
		return faulty(nil, jsonrpc.CodeParseError, "parse error: send one JSON message a line")
	case line[0] == '[':
		return decodeBatch(line)
	}
	return frame{messages: []inbound{decodeMessage(line)}}
}

// trim removes a byte order mark, the CR of a CRLF and JSON's white space.
func trim(line []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(line, []byte("\ufeff")), " \t\r\n")
}

// decodeBatch reads a valid JSON array element by element.
func decodeBatch(line []byte) frame {
	elements := json.NewDecoder(bytes.NewReader(line))
	_, _ = elements.Token() // skip the opening bracket
	f := frame{batch: true}
	for elements.More() {
		if len(f.messages) == maxBatch {
			return faulty(nil, jsonrpc.CodeInvalidRequest, "invalid request: a batch may have at most %d messages", maxBatch)
		}
		var raw json.RawMessage
		if err := elements.Decode(&raw); err != nil {
			return faulty(nil, jsonrpc.CodeParseError, "parse error: the batch cannot be read")
		}
		f.messages = append(f.messages, decodeMessage(raw))
	}
	if len(f.messages) == 0 {
		return faulty(nil, jsonrpc.CodeInvalidRequest, "invalid request: the batch is empty")
	}
	return f
}

// envelope is the outer object of a JSON-RPC message. A field is nil if its member is
// missing.
type envelope struct {
	version, id, method, params, result, failure json.RawMessage
}

// decodeMessage decodes one valid JSON value as a JSON-RPC message. Unlike the SDK, it
// distinguishes a null id from a missing one and does not round numbers.
func decodeMessage(data []byte) inbound {
	if data[0] != '{' {
		return fault(nil, jsonrpc.CodeInvalidRequest, "invalid request: a message is a JSON object")
	}
	var e envelope
	for name, value := range members(data) {
		switch name {
		case "jsonrpc":
			e.version = value
		case "id":
			e.id = value
		case "method":
			e.method = value
		case "params":
			e.params = value
		case "result":
			e.result = value
		case "error":
			e.failure = value
		}
	}
	if e.method == nil && (e.result != nil || e.failure != nil) {
		return e.response()
	}
	return e.request()
}

func (e envelope) request() inbound {
	id, ok := parseID(e.id)
	if e.id != nil && !ok {
		return fault(nil, jsonrpc.CodeInvalidRequest, "invalid request: the id must be a string or an integer")
	}
	version, _ := jsonString(e.version)
	method, ok := jsonString(e.method)
	switch {
	case version != "2.0":
		return fault(e.id, jsonrpc.CodeInvalidRequest, `invalid request: "jsonrpc" must be "2.0"`)
	case !ok || method == "":
		return fault(e.id, jsonrpc.CodeInvalidRequest, `invalid request: "method" must be a name`)
	case e.id != nil && strings.HasPrefix(method, "notifications/"):
		return fault(e.id, jsonrpc.CodeInvalidRequest, "invalid request: a notification has no id")
	}
	params := e.params
	if string(params) == "null" {
		params = nil
	}
	if params != nil && params[0] != '{' {
		return fault(e.id, jsonrpc.CodeInvalidRequest, `invalid request: "params" must be an object`)
	}
	return inbound{id: e.id, req: &jsonrpc.Request{ID: id, Method: method, Params: params}}
}

// response decodes an answer to a request sent by the server. An answer that cannot be
// decoded is ignored, because replying to an answer with an error could lead to an endless
// exchange of errors.
func (e envelope) response() inbound {
	id, ok := parseID(e.id)
	if !ok {
		return inbound{}
	}
	resp := &jsonrpc.Response{ID: id, Result: e.result}
	if e.failure != nil {
		wire := new(jsonrpc.Error)
		if json.Unmarshal(e.failure, wire) != nil {
			wire = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the client sent an error that cannot be read"}
		}
		resp.Result, resp.Error = nil, wire
	}
	return inbound{resp: resp}
}

// jsonString returns the string in raw, or false if raw is not a JSON string.
func jsonString(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// members calls a function for each member of a JSON object that may be truncated. A value
// that is truncated, or may be, is passed as nil, and iteration ends there.
func members(data []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		dec := json.NewDecoder(bytes.NewReader(data))
		if open, err := dec.Token(); err != nil || open != json.Delim('{') {
			return
		}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return
			}
			var value json.RawMessage
			err = dec.Decode(&value)
			if err != nil || dec.InputOffset() == int64(len(data)) {
				value = nil
			}
			key, _ := name.(string)
			if !yield(key, value) || value == nil {
				return
			}
		}
	}
}

// recoverID finds the id of a request in its first bytes, and returns nil if there is none.
// It also returns nil for a message that looks like a response, because that id was chosen
// by the server and not by the client.
func recoverID(prefix []byte) json.RawMessage {
	var id json.RawMessage
	for name, value := range members(trim(prefix)) {
		switch name {
		case "id":
			id = value
		case "result", "error":
			return nil
		}
	}
	if _, ok := parseID(id); !ok || !utf8.Valid(id) {
		return nil
	}
	return id
}
