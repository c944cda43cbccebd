package gateway

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// How calls come to a gateway, as an Observer is told.
const (
	viaMCP = "mcp"
	viaAPI = "api"
)

// otherCall stands for what did not come as far as a tool, whose name a client may have
// made up.
const otherCall = "other"

// An Observer is told of each call of a tool, and of each operation, how it came, its name,
// which is one of a few, whether it failed or was refused, and how long it took until its
// answer was made. It is called by many requests at once.
type Observer func(via, call string, failed bool, took time.Duration)

// middleware tells of each call of a tool that is answered.
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
