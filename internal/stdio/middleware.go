package stdio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// errShutdown is the cause with which a handler's context is cancelled when the process is
// told to stop.
var errShutdown = errors.New("the bridge is shutting down")

// RecoverPanics is a receiving middleware that answers a request whose handler panics with
// an internal error, so that the process keeps running. The stack trace is logged. The
// panic's value is neither logged nor sent to the client, because it may quote arguments.
// Panics in goroutines started by a handler are not recovered.
func RecoverPanics(log *slog.Logger) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (result mcp.Result, err error) {
			defer func() {
				if value := recover(); value != nil {
					log.ErrorContext(ctx, "a handler panicked", "method", method, "type", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
					err = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error; the log of the bridge has the details"}
				}
			}()
			return next(ctx, method, req)
		}
	}
}

// withShutdown is a receiving middleware that cancels the contexts of handlers when ctx
// ends. The SDK detaches them from the context the server runs in.
func withShutdown(ctx context.Context) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(handlerCtx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			handlerCtx, cancel := context.WithCancelCause(handlerCtx)
			defer cancel(nil)
			defer context.AfterFunc(ctx, func() { cancel(errShutdown) })()
			return next(handlerCtx, method, req)
		}
	}
}
