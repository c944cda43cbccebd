package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/stdio"
)

// callKey is the context key of a request's call. It cannot be set by anything a client
// sends.
type callKey struct{}

// connected returns an HTTP handler for an endpoint. In both eras of the protocol every
// request is a separate session, and the session carries no identity.
func connected(e Endpoint, o Options) http.Handler {
	e.MCP.AddReceivingMiddleware(o.Observe.middleware, stdio.RecoverPanics(o.Log), untilRequestEnds)
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return e.MCP }, &mcp.StreamableHTTPOptions{
		Stateless:                    true,
		JSONResponse:                 true,
		MaxRequestBodyBytes:          MaxBody,
		PropagateRequestCancellation: true,
		DisableLocalhostProtection:   true, // admitHost has already checked the host, on every address
	})
}

// untilRequestEnds cancels a handler when its request ends, which the SDK does not do for
// older revisions of the protocol.
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

// methodListen is the only method whose answer is a stream (MCP 2026-07-28).
const methodListen = "subscriptions/listen"

// envelope is the part of a request that the gateway itself reads.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
}

// serveMCP answers an MCP request.
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
	var asked envelope
	_ = json.Unmarshal(c.body, &asked) // a batch, or a request that the SDK rejects
	p, _ := w.(*paced)
	e := c.principal.endpoint
	e.Expect(id)
	written := false
	defer func() { e.Settled(id, written) }()
	ctx := stdio.WithRequestID(context.WithValue(r.Context(), callKey{}, r.Context()), id)
	switch asked.Method {
	case methodListen:
		to, end := g.listening(r.Context(), p)
		defer end()
		ctx = stdio.WithOutlet(ctx, func() (stdio.Outlet, json.RawMessage) { return to, asked.ID })
	case "initialize":
		w.Header().Set(clientHeader, rand.Text())
	default:
		ctx = stdio.WithOutlet(ctx, c.principal.toldOf(clientName(r)))
	}
	r = r.WithContext(c.principal.calling(ctx))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	r.ContentLength = int64(len(c.body))
	c.principal.handler.ServeHTTP(w, r)
	p.answerWithID(c.body)
	written = p.whole() && r.Context().Err() == nil
}

// toldOf returns the channel of a client, creating it when it is first needed.
func (p *principal) toldOf(client string) func() (stdio.Outlet, json.RawMessage) {
	return func() (stdio.Outlet, json.RawMessage) {
		c, ok := p.channels.of(client)
		if !ok {
			return nil, nil
		}
		return c.outlet, nil
	}
}

// checkBatch rejects a batch with too many messages. Whether batches are allowed at all
// depends on the revision of the protocol.
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
		return "a batch must have 1 to 100 messages"
	}
	for _, each := range batch {
		var asked envelope
		if json.Unmarshal(each, &asked) == nil && asked.Method == methodListen {
			return methodListen + " must not be part of a batch: its answer is a stream"
		}
	}
	return ""
}
