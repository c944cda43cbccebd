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
		Long: `Start an HTTP server on the loopback address that passes each message on to a server which
speaks over standard streams, so that tools which know Streamable HTTP only can test it. The
messages stay as they are. A client of revisions before 2026-07-28 gets a process of its
own; clients of that revision share one. The address is printed when the shim listens; end
it with Ctrl-C, which ends the servers too.

Programs of this machine only: foreign Host and Origin headers are refused, and there is no
TLS and no key.`,
		Example: `  bridge harness shim --port 8808 -- python server.py`,
		Args:    a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 {
				return a.badSuite(errors.New("`bridge harness shim` takes the command of the server behind --"))
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
