package mcpserver

import (
	"context"
	"errors"
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/stdio"
)

// Endpoint serves one holder of an access key, whose requests arrive one by one, as over
// HTTP. It remembers the conversations that its holder created or joined, and shares
// nothing with other Endpoints.
//
// The caller sets a unique id for each request in the context of its handlers
// (stdio.WithRequestID), and calls Expect before and Settled after it. If the client can
// receive notifications, it also sets an outlet (stdio.WithOutlet).
type Endpoint struct {
	// MCP answers the requests. Middleware may be added before the first request.
	MCP    *mcp.Server
	server *server
}

// NewEndpoint returns an endpoint. In, Out and Commands of o are ignored.
func NewEndpoint(b Bridge, o Options) *Endpoint {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	o.Commands = nil // commands never run on a gateway's machine
	s := newServer(b, log, o)
	s.subscriptions = newSubscriptions(context.Background(), s, nil)
	return &Endpoint{MCP: s.offer(tools(o.Tools, false), o.Version), server: s}
}

// Expect announces a request with this id.
func (e *Endpoint) Expect(id jsonrpc.ID) { e.server.deliveries.expect(id) }

var errNotWritten = errors.New("the answer was not written")

// Settled reports that a request has ended, and whether its answer was written completely.
// If so, the messages in the answer count as read; otherwise they go back into the inbox.
func (e *Endpoint) Settled(id jsonrpc.ID, written bool) {
	response := &jsonrpc.Response{ID: id}
	if !written {
		response.Error = errNotWritten
	}
	e.server.deliveries.settled(response, written)
}

// Drain makes waiting calls return with what they have.
func (e *Endpoint) Drain() { e.server.drain() }

// Forget ends the subscriptions made through an outlet.
func (e *Endpoint) Forget(to stdio.Outlet) { e.server.subscriptions.forget(to) }

// Close gives back the messages that no answer will deliver, and ends all subscriptions.
func (e *Endpoint) Close() {
	e.server.subscriptions.close()
	e.server.deliveries.close()
}
