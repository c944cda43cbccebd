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
		Long: `Remove bridge from the configuration of an MCP client: its server, hooks, and rules. The
clients are those of "bridge install". A file that has not been changed since is
restored byte for byte; files and folders that install created are removed. From a file
that was changed only bridge's entries are removed.

The store and its conversations stay. The exit code is 0 when done or when there was
nothing to do, 1 when a file could not be changed, and 2 for wrong arguments.`,
		Example: `  bridge uninstall claude
  bridge uninstall codex --dry-run
  bridge uninstall gemini --scope project`,
		ValidArgs: clientNames(),
		Args:      oneClient,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUninstall(cmd.Context(), a, agents.Client(args[0]), o)
		},
	}
	o.register(cmd.Flags(), "removed")
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
