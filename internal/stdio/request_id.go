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
	// maxExact is the largest integer up to which a float64 holds every one.
	maxExact = 1 << 53
	// maxDigits bounds an integer id that a float64 cannot hold.
	maxDigits = 40
)

// parseID makes of an id on the wire the one by which the SDK knows it.
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

// requestIDKey is the context key of a request's id.
type requestIDKey struct{}

// RequestID returns the id of the request that a handler was given, the same
// under which Settled gets its response. Ids are unique among the requests
// in flight. It reports false for a notification, and for a request that did not
// come through a Transport. No client can forge it: it is never part of what a
// client sends.
func RequestID(ctx context.Context) (jsonrpc.ID, bool) {
	id, ok := ctx.Value(requestIDKey{}).(jsonrpc.ID)
	return id, ok
}

// WithRequestID returns a context that carries the id.
func WithRequestID(ctx context.Context, id jsonrpc.ID) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// identify is a receiving middleware that tells handlers the id of their request,
// which the SDK keeps from them. What the ledger attached to a request when it
// was read is found again by its address.
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
