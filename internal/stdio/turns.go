package stdio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Turns makes tool calls take effect in the order in which the client sent them. The SDK
// runs all calls concurrently, so that a client that sends "part 1" and "part 2" without
// waiting in between could see them stored in the wrong order. A call starts when all
// earlier calls have returned, except calls of tools that wait for something: those do not
// delay later calls.
type Turns struct {
	waits func(tool string) bool // reports whether later calls do not wait for this tool

	mu sync.Mutex
	// queue holds the unsettled requests in the order of the input. An id can occur twice,
	// if the client has already read the first answer and reuses the id.
	queue []*turn
}

// turn is a request's place in the queue. A request that is not a tool call counts as ended
// from the start.
type turn struct {
	id    jsonrpc.ID
	waits bool          // later calls do not wait for it
	begin chan struct{} // closed when it may start
	begun bool          // begin has been closed
	ended bool          // it has returned, or will never start
}

// NewTurns returns a Turns for a server. waits names the tools whose calls may take long
// and which later calls do not wait for.
func NewTurns(waits func(tool string) bool) *Turns { return &Turns{waits: waits} }

// Arrived adds a request to the queue. The transport calls it in the order of the input. On
// a nil Turns it does nothing.
func (t *Turns) Arrived(req *jsonrpc.Request) {
	var params struct {
		Name string `json:"name"`
	}
	if t == nil {
		return
	}
	call := req.Method == "tools/call"
	if call {
		_ = json.Unmarshal(req.Params, &params) // the SDK reports malformed params
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, &turn{id: req.ID, waits: t.waits(params.Name), begin: make(chan struct{}), ended: !call})
	t.advance()
}

// advance starts calls up to and including the first that later calls have to wait for.
func (t *Turns) advance() {
	for _, place := range t.queue {
		if place.ended {
			continue
		}
		if !place.begun {
			place.begun = true
			close(place.begin)
		}
		if !place.waits {
			return
		}
	}
}

// place returns the turn of the most recent call with the given id, or nil.
func (t *Turns) place(id jsonrpc.ID) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, place := range slices.Backward(t.queue) {
		if place.id == id {
			return place
		}
	}
	return nil
}

// end marks a call as returned.
func (t *Turns) end(place *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	place.ended = true
	t.advance()
}

// Settled removes the oldest request with the given id from the queue: it has returned, or
// was never passed to a handler.
func (t *Turns) Settled(id jsonrpc.ID) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.queue, func(place *turn) bool { return place.id == id })
	if i < 0 {
		return
	}
	t.queue = slices.Delete(t.queue, i, i+1)
	t.advance()
}

// InOrder is a receiving middleware that makes calls wait for their turn.
func (t *Turns) InOrder() mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			id, ok := RequestID(ctx)
			if !ok || t == nil {
				return next(ctx, method, req)
			}
			place := t.place(id)
			if place == nil || method != "tools/call" {
				return next(ctx, method, req)
			}
			defer t.end(place)
			select {
			case <-place.begin:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			return next(ctx, method, req)
		}
	}
}
