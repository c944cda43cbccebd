package cli

import "github.com/spf13/cobra"

func newFleetCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet COMMAND",
		Short: "Run a team of agents unattended",
		Long: `Programs that run alongside a team of agents: heartbeats for a busy agent, and a
watchdog that detects silent workers and reassigns their tasks. They keep their state in
the store, so each can be stopped and restarted, and several can run at the same time.`,
		Example: `  bridge fleet watchdog --exec ./alert.sh
  bridge fleet keepalive --token-file worker.env`,
		Args:        noCommandArgs,
		SuggestFor:  []string{"keepalive", "watchdog", "reassign"},
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newKeepaliveCmd(a), newWatchdogCmd(a), newReassignCmd(a))
	return cmd
}
