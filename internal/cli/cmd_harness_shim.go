package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/harness/process"
	"example.org/bridge/internal/harness/shim"
)

func newHarnessShimCmd(a *app) *cobra.Command {
	port := 0
	cmd := &cobra.Command{
		Use:   "shim -- COMMAND...",
		Short: "Offer a stdio server over HTTP, for other test tools",
		Long: `Start an HTTP server on the loopback address that forwards each message to a server on
standard streams, so that tools that only support Streamable HTTP can test it. Messages
are not changed. Each client that uses a revision before 2026-07-28 gets its own
process; clients of that revision share one. The address is printed when the shim
listens. Ctrl-C ends the shim and its servers.

The shim is for programs on this machine only: it refuses foreign Host and Origin
headers, and has no TLS and no keys.`,
		Example: `  bridge harness shim --port 8808 -- python server.py`,
		Args:    a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 {
				return a.badSuite(errors.New("`bridge harness shim` takes the command of the server after --"))
			}
			if port > 65535 {
				return a.badSuite(errors.New("--port must be at most 65535"))
			}
			return a.shim(cmd.Context(), args, port)
		},
	}
	numberFlag(cmd.Flags(), &port, "port", "the port on 127.0.0.1; 0 = a free one")
	return cmd
}

func (a *app) shim(ctx context.Context, command []string, port int) error {
	ctx, stop := daemon(ctx)
	defer stop()
	s := shim.New(process.Spec{Command: command})
	err := s.Serve(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), func(at net.Addr) {
		_, _ = fmt.Fprintf(a.stdout, "http://%s/mcp\n", at)
	})
	if err != nil {
		return fmt.Errorf("cannot serve HTTP: %w", err)
	}
	return nil
}
