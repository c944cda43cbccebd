package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newYoloDisableCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "disable CONVERSATION",
		Short: "Close a conversation for commands",
		Long: `Close a conversation for commands. Pending requests and unused approvals become void. A
running command continues until it ends or reaches its timeout.`,
		Example:           `  bridge yolo disable 3f2a`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runYoloDisable(cmd.Context(), a, args[0]) },
	}
}

func runYoloDisable(ctx context.Context, a *app, name string) error {
	return a.withCommands(ctx, func(s services) error {
		found, err := findConversation(ctx, s.Service, name)
		if err != nil {
			return err
		}
		if err := s.CloseGrant(ctx, found.ID); err != nil {
			return err
		}
		return a.say("Closed: %s cannot run commands any more.", found.ID)
	})
}
