package gateway

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The ways in which calls reach a gateway, as passed to an Observer.
const (
	viaMCP = "mcp"
	viaAPI = "api"
)

// otherCall replaces the name of a call that did not reach a tool, since a client may have
// made it up.
const otherCall = "other"

// An Observer is called for each tool call and each operation, with the way it arrived, its
// name (one of a fixed set), whether it failed or was refused, and how long it took to
// produce the answer. It is called concurrently.
type Observer func(via, call string, failed bool, took time.Duration)

// middleware observes each tool call that is answered.
func (observe Observer) middleware(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		call, ok := req.(*mcp.CallToolRequest)
		if !ok {
			return next(ctx, method, req)
		}
		began := time.Now()
		result, err := next(ctx, method, req)
		answer, _ := result.(*mcp.CallToolResult)
		switch {
		case ctx.Err() != nil: // nobody waits for the answer any more
		case err == nil && answer != nil:
			observe(viaMCP, call.Params.Name, answer.IsError, time.Since(began))
		case err != nil:
			observe(viaMCP, otherCall, true, time.Since(began))
		}
		return result, err
	}
}
