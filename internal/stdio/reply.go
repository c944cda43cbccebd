package stdio

import (
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A call is one request that was read and whose answer is not settled.
type call struct {
	id        jsonrpc.ID      // as the SDK knows it
	wire      json.RawMessage // as the client wrote it
	method    string
	extra     *mcp.RequestExtra // attached to the request, and nothing but a mark
	size      int               // bytes of its parameters
	reply     *reply
	resp      *jsonrpc.Response
	cancelled bool
}

// A reply is one line of output in the making: the answer to one request, or
// to those of a batch.
type reply struct {
	array   bool
	waiting int // calls without an answer
	parts   []*part
}

// A part is one message of a reply.
type part struct {
	data []byte
	call *call // nil if it answers no call
	note bool  // a notification that need not be said twice
}

// line is the reply as it goes out, without what was cancelled; it is empty if
// nothing is left.
func (r *reply) line() []byte {
	var line []byte
	for _, p := range r.parts {
		if p.data == nil {
			continue
		}
		if r.array {
			line = append(line, separator(line))
		}
		line = append(line, p.data...)
	}
	switch {
	case line == nil:
		return nil
	case r.array:
		line = append(line, ']')
	}
	return append(line, '\n')
}

func separator(line []byte) byte {
	if len(line) == 0 {
		return '['
	}
	return ','
}
