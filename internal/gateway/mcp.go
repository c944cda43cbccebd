package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/stdio"
)

// callKey is the context key of a request's call. Nothing that a client sends can set it.
type callKey struct{}

// connected makes of an endpoint what answers requests over HTTP: each is a session of
// its own, in both eras of the protocol, and identity is never in one.
func connected(e Endpoint, log *slog.Logger) http.Handler {
	e.MCP.AddReceivingMiddleware(stdio.RecoverPanics(log), untilRequestEnds)
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return e.MCP }, &mcp.StreamableHTTPOptions{
		Stateless:                    true,
		JSONResponse:                 true,
		MaxRequestBodyBytes:          MaxBody,
		PropagateRequestCancellation: true,
		DisableLocalhostProtection:   true, // admitHost has looked, on every address
	})
}

// untilRequestEnds cancels a handler when its request ends, which the SDK does not do
// for older revisions of the protocol.
func untilRequestEnds(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		request, ok := ctx.Value(callKey{}).(context.Context)
		if !ok {
			return next(ctx, method, req)
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(request, func() { cancel(context.Cause(request)) })()
		return next(ctx, method, req)
	}
}

// serveMCP answers a request of the protocol.
func (g *Gateway) serveMCP(w http.ResponseWriter, r *http.Request, c call) {
	if problem := checkBatch(c.body); problem != "" {
		refuse(w, http.StatusBadRequest, "batch", problem)
		return
	}
	id, err := jsonrpc.MakeID("http " + strconv.FormatInt(c.number, 10))
	if err != nil {
		g.failed(w, err)
		return
	}
	e := c.principal.endpoint
	e.Expect(id)
	written := false
	defer func() { e.Settled(id, written) }()
	ctx := stdio.WithRequestID(context.WithValue(r.Context(), callKey{}, r.Context()), id)
	r = r.WithContext(bridge.WithCaller(ctx, "key "+c.principal.key.ID))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	r.ContentLength = int64(len(c.body))
	c.principal.handler.ServeHTTP(w, r)
	if p, ok := w.(*paced); ok {
		p.answerWithID(c.body)
		written = p.whole() && r.Context().Err() == nil
	}
}

// checkBatch refuses a batch of too many messages. Whether one is allowed at all the
// revision of the protocol says.
func checkBatch(body []byte) (problem string) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' {
		return ""
	}
	var batch []json.RawMessage
	if json.Unmarshal(trimmed, &batch) != nil {
		return "the batch is not JSON"
	}
	if len(batch) == 0 || len(batch) > maxBatch {
		return "a batch has 1 to 100 messages"
	}
	return ""
}
