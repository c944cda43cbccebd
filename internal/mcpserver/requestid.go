package mcpserver

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxExact is the largest integer up to which a float64 holds every one.
	maxExact = 1 << 53
	// maxDigits bounds an integer id that a float64 cannot hold.
	maxDigits = 40
	// requestIDKey is where a request carries its id to its handler.
	requestIDKey = "Request-Id"
)

// parseID makes of an id on the wire the one that the SDK shall know it by.
// The specification allows strings and integers. The SDK would round integers
// over 2^53, so that two requests could share an answer; those become strings.
func parseID(raw json.RawMessage) (jsonrpc.ID, bool) {
	if s, ok := jsonString(raw); ok {
		return makeID(s)
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		return jsonrpc.ID{}, false
	case math.Abs(n) <= maxExact && n == math.Trunc(n):
		return makeID(n)
	case math.Abs(n) > maxExact && len(raw) <= maxDigits && isInteger(raw):
		return makeID("integer " + string(raw))
	}
	return jsonrpc.ID{}, false
}

func makeID(v any) (jsonrpc.ID, bool) {
	id, err := jsonrpc.MakeID(v)
	return id, err == nil
}

func isInteger(raw json.RawMessage) bool {
	for i, c := range raw {
		if (c < '0' || c > '9') && (i > 0 || c != '-') {
			return false
		}
	}
	return true
}

// carryID puts the id of a call where RequestID finds it: the SDK hands its
// handlers everything of a request but the id.
func carryID(req *jsonrpc.Request) {
	key, err := json.Marshal(req.ID.Raw())
	if err != nil {
		return // an id is a string or an int64
	}
	req.Extra = &mcp.RequestExtra{Header: http.Header{requestIDKey: {string(key)}}}
}

// RequestID returns the id of the request that a handler was given, the same
// under which Settled hears of its response. Ids are unique among the requests
// in flight. It reports false if the request did not come through a Stdio.
func RequestID(req mcp.Request) (jsonrpc.ID, bool) {
	extra := req.GetExtra()
	if extra == nil {
		return jsonrpc.ID{}, false
	}
	return parseID(json.RawMessage(extra.Header.Get(requestIDKey)))
}
