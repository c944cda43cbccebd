package stdio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Turns let tool calls take effect in the order in which the client sent them.
// The SDK runs them all at once, and a client that sends "part 1" and "part 2"
// without waiting in between would see them stored the other way round. A call
// begins when all earlier ones have returned, those of tools that wait for
// something excepted: they hold nobody up.
type Turns struct {
	waits func(tool string) bool // the tools that nobody waits for

	mu sync.Mutex
	// queue holds the requests that are not settled, in the order of the input. An
	// id can be in it twice: its client has read the first answer already.
	queue []*turn
}

// turn is a request's place in the queue. What is not a call of a tool has ended
// from the start.
type turn struct {
	id    jsonrpc.ID
	waits bool          // nobody waits for it
	begin chan struct{} // closed when it may begin
	begun bool          // begin is closed
	ended bool          // it has returned, or never will begin
}

// NewTurns returns turns for a server. waits names the tools whose calls may take
// long: later calls do not wait for them.
func NewTurns(waits func(tool string) bool) *Turns { return &Turns{waits: waits} }

// Arrived gives a request its place. The transport calls it in the order of the
// input. Without turns (nil) nothing is ordered.
func (t *Turns) Arrived(req *jsonrpc.Request) {
	var params struct {
		Name string `json:"name"`
	}
	if t == nil {
		return
	}
	call := req.Method == "tools/call"
	if call {
		_ = json.Unmarshal(req.Params, &params) // what is wrong with it the SDK will say
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, &turn{id: req.ID, waits: t.waits(params.Name), begin: make(chan struct{}), ended: !call})
	t.advance()
}

// advance lets calls begin up to the first that others have to wait for.
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

// place returns the place of the call that came last under an id; nil without one.
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

// end says that a call has returned.
func (t *Turns) end(place *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	place.ended = true
	t.advance()
}

// Settled takes the request that came first under an id out of the queue: it has
// returned, or no handler was given it.
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
