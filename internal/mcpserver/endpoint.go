package mcpserver

import (
	"context"
	"errors"
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/stdio"
)

// Endpoint is the bridge for one holder of an access key, whose requests come one by
// one, as over HTTP. It remembers what its holder created or joined, and shares none
// of it with another Endpoint.
//
// Whoever serves it gives each request an id of its own in the context of its handlers
// (stdio.WithRequestID), and calls Expect before and Settled after it. Where the client
// can be told of changes, it gives an outlet too (stdio.WithOutlet).
type Endpoint struct {
	// MCP answers the requests. Middleware may be added to it before the first.
	MCP    *mcp.Server
	server *server
}

// NewEndpoint returns an endpoint. In, Out and Commands of o are not for it.
func NewEndpoint(b Bridge, o Options) *Endpoint {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	o.Commands = nil // commands never run on the machine of a gateway
	s := newServer(b, log, o)
	s.subscriptions = newSubscriptions(context.Background(), s, nil)
	return &Endpoint{MCP: s.offer(tools(o.Tools, false), o.Version), server: s}
}

// Expect says that a request with this id begins.
func (e *Endpoint) Expect(id jsonrpc.ID) { e.server.deliveries.expect(id) }

var errNotWritten = errors.New("the answer was not written")

// Settled says that a request has ended, and whether its answer was written whole.
// The messages in the answer count as read then, or wait again.
func (e *Endpoint) Settled(id jsonrpc.ID, written bool) {
	response := &jsonrpc.Response{ID: id}
	if !written {
		response.Error = errNotWritten
	}
	e.server.deliveries.settled(response, written)
}

// Drain lets calls that wait return with what they have.
func (e *Endpoint) Drain() { e.server.drain() }

// Forget ends what was subscribed to through an outlet.
func (e *Endpoint) Forget(to stdio.Outlet) { e.server.subscriptions.forget(to) }

// Close gives back what no answer will carry any more, and watches nothing from then on.
func (e *Endpoint) Close() {
	e.server.subscriptions.close()
	e.server.deliveries.close()
}
