package mcpserver

import (
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Turns are the turns of calls, for tests of their order.
type Turns struct{ *turns }

// NewTurns returns the turns of the tools of a server.
func NewTurns() Turns { return Turns{newTurns(tools(false))} }

// Arrived is what the transport tells of a request.
func (t Turns) Arrived(req *jsonrpc.Request) { t.arrived(req) }

// Settled is what it tells of its answer.
func (t Turns) Settled(id jsonrpc.ID) { t.settled(id) }

// InOrder is the middleware.
func (t Turns) InOrder() mcp.Middleware { return t.inOrder() }
