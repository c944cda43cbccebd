package stdio

import (
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// call is one request that has been read and not yet settled.
type call struct {
	id        jsonrpc.ID      // as the SDK uses it
	wire      json.RawMessage // as the client wrote it
	method    string
	extra     *mcp.RequestExtra // attached to the request only to recognize it later
	size      int               // bytes of the request's parameters
	reply     *reply
	resp      *jsonrpc.Response
	cancelled bool
}

// reply is one line of output being assembled: the answer to one request, or to those of a
// batch.
type reply struct {
	array   bool
	waiting int // number of calls without an answer
	parts   []*part
}

// part is one message of a reply.
type part struct {
	data []byte
	call *call // nil if it is not the answer to a call
	note bool  // a notification that is queued only once
}

// line returns the reply as it is written, without cancelled calls. It is empty if nothing
// is left.
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
