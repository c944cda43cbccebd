package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/harness/probe"
	"example.org/bridge/internal/harness/suite"
)

func newHarnessProbeCmd(a *app) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:   "probe {SUITE | -- COMMAND...}",
		Short: "Look for security problems in a server",
		Long: `Read every text that a server gives to models, including the messages of prompts, and
look for invisible characters and for texts that ask a model to hide something from its
user. Call its tools and prompts, and read its resources, with paths to a file outside
the server's folder, and with expressions that only executed code can evaluate. Send a
server over HTTP the requests that a page of another site would send. Each alarm comes
with a proof.

Only tools whose readOnlyHint is true, and those named by --tools, are called.`,
		Example: `  bridge harness probe suite.yaml
  bridge harness probe --tools write_note -- python server.py`,
		Args: a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.server(cmd, args, o.environment)
			if err != nil {
				return err
			}
			return a.probe(cmd.Context(), s, o)
		},
	}
	o.register(cmd)
	return cmd
}

func (a *app) probe(ctx context.Context, s *suite.Suite, o callOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	target, err := a.callTarget(ctx, s, o)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "bridge-probe-")
	if err != nil {
		return fmt.Errorf("cannot create a folder for the file that no tool should read: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	calls := probe.Calls{
		Parts: target.parts, Folder: folder,
		Open: target.open, Limit: target.limit,
		URL: s.Server.URL, Headers: s.Server.Headers,
	}
	found := probe.Texts(target.snapshot)
	proofs, err := calls.Run(ctx)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	return a.tellFound(target, append(found, proofs...))
}
