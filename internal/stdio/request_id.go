package stdio

import (
	"context"
	"encoding/json"
	"math"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxExact is the largest integer below which a float64 represents every integer
	// exactly.
	maxExact = 1 << 53
	// maxDigits is the maximum number of digits of an integer id that a float64 cannot
	// represent.
	maxDigits = 40
)

// parseID converts an id from the wire to the id that the SDK uses. The specification
// allows strings and integers. The SDK would round integers above 2^53, so that two
// requests could get the same id; such integers are converted to strings.
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

// requestIDKey is the context key of a request's id.
type requestIDKey struct{}

// RequestID returns the id of the request that a handler is serving, which is the id in the
// response passed to Settled. Ids are unique among the requests in flight. It returns false
// for a notification, and for a request that did not come through a Transport. A client
// cannot forge it, because it is not taken from the content of a message.
func RequestID(ctx context.Context) (jsonrpc.ID, bool) {
	id, ok := ctx.Value(requestIDKey{}).(jsonrpc.ID)
	return id, ok
}

// WithRequestID returns a context that carries id.
func WithRequestID(ctx context.Context, id jsonrpc.ID) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// identify is a receiving middleware that gives handlers the id of their request, which the
// SDK does not pass on. The request is recognized by the address of the value that the
// ledger attached to it when it was read.
func identify(l *ledger) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if id, ok := l.idOf(req.GetExtra()); ok {
				ctx = WithRequestID(ctx, id)
			}
			return next(ctx, method, req)
		}
	}
}
