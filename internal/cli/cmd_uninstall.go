package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/agents"
)

func newUninstallCmd(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "uninstall CLIENT",
		Short: "Disconnect an MCP client, and restore its files",
		Long: `Take bridge out of the configuration of an MCP client: its server, hooks, and rules.
The clients are those that "bridge install" knows. A file that nobody else has changed since is put back to the byte;
one that install made is removed, and folders that it made too. Where somebody has
changed a file, only what is bridge's is taken out.

The store and its conversations stay. The exit code is 0 when done or when there was
nothing to do, 1 when a file was refused, and 2 for wrong arguments.`,
		Example: `  bridge uninstall claude
  bridge uninstall codex --dry-run
  bridge uninstall gemini --scope project`,
		ValidArgs: clientNames(),
		Args:      oneClient,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUninstall(cmd.Context(), a, agents.Client(args[0]), o)
		},
	}
	o.register(cmd.Flags(), "taken out")
	return cmd
}

var uninstallWords = planWords{
	nothing: "nothing to do: %s is not connected",
	would:   "%s would be disconnected; nothing was changed",
	done:    "%s is disconnected; restart it",
}

func runUninstall(ctx context.Context, a *app, client agents.Client, o installOptions) error {
	installer, setup, err := a.setup(client, o)
	if err != nil {
		return err
	}
	return installer.Do(ctx, func() error {
		plan, err := installer.Uninstall(setup)
		if err != nil {
			return err
		}
		return a.carryOut(plan, o.dryRun, uninstallWords)
	})
}
