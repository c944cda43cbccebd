package mcpserver

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// turns lets tool calls take effect in the order in which the client sent them.
// The SDK runs them all at once, and a client that sends "part 1" and "part 2"
// without waiting in between would see them stored the other way round. A call
// begins when all earlier ones have returned, those of tools that wait for
// something excepted: they hold nobody up.
type turns struct {
	waiting map[string]bool // the tools that nobody waits for

	mu   sync.Mutex
	last <-chan struct{} // closed when the last call to be waited for has returned
	open map[jsonrpc.ID]turn
}

// turn is a call's place in the queue.
type turn struct {
	before <-chan struct{} // closed when it may begin; nil: at once
	done   func()          // to be called when it has returned
}

func newTurns(all []tool) *turns {
	t := &turns{waiting: map[string]bool{}, open: map[jsonrpc.ID]turn{}}
	for _, tool := range all {
		t.waiting[tool.definition.Name] = tool.waits
	}
	return t
}

// arrived gives a request its place. The transport calls it in order.
func (t *turns) arrived(req *jsonrpc.Request) {
	if req.Method != "tools/call" {
		return
	}
	var params struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(req.Params, &params) // what is wrong with it the SDK will say
	t.mu.Lock()
	defer t.mu.Unlock()
	place := turn{before: t.last, done: func() {}}
	if !t.waiting[params.Name] {
		returned := make(chan struct{})
		place.done = sync.OnceFunc(func() { close(returned) })
		t.last = returned
	}
	t.open[req.ID] = place
}

// leave takes a request out of the queue.
func (t *turns) leave(id jsonrpc.ID) turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	place, ok := t.open[id]
	if !ok {
		return turn{done: func() {}}
	}
	delete(t.open, id)
	return place
}

// settled ends the turn of a request that no handler was given.
func (t *turns) settled(id jsonrpc.ID) { t.leave(id).done() }

// inOrder is a receiving middleware that makes calls wait for their turn.
func (t *turns) inOrder() mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			id, ok := RequestID(req)
			if !ok {
				return next(ctx, method, req)
			}
			place := t.leave(id)
			defer place.done()
			if place.before != nil {
				select {
				case <-place.before:
				case <-ctx.Done():
					return nil, context.Cause(ctx)
				}
			}
			return next(ctx, method, req)
		}
	}
}
