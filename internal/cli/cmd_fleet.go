package cli

import "github.com/spf13/cobra"

func newFleetCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet COMMAND",
		Short: "Run a team of agents unattended",
		Long: `Programs that run beside a team of agents: heartbeats for a busy agent, and a watchdog
that detects silent workers and gives their tasks to others. What they decide is in the
store: any of them may be stopped and started again, and several may run at once.`,
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
