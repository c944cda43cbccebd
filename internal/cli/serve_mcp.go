package cli

import (
	"context"
	"io"
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/mcpserver"
)

// serveOptions stands for mcpserver.Options.
type serveOptions struct {
	In      io.Reader
	Out     io.Writer
	Log     *slog.Logger
	Version string
	Binding bridge.Credentials
}

// serveMCP stands for mcpserver.Serve: a server without tools.
func serveMCP(ctx context.Context, _ *bridge.Service, o serveOptions) error {
	server := mcp.NewServer(&mcp.Implementation{Name: "bridge", Version: o.Version}, nil)
	server.AddReceivingMiddleware(mcpserver.RecoverPanics(o.Log), mcpserver.WithShutdown(ctx))
	return mcpserver.Serve(ctx, server, &mcpserver.Stdio{In: o.In, Out: o.Out, Log: o.Log})
}
