package cli

import (
	"context"

	"example.org/bridge/internal/cleantext"
	"github.com/spf13/cobra"
)

func newYoloDenyCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "deny REQUEST",
		Short: "Refuse a command, or withdraw an unused approval",
		Long: `Refuse a command that an agent asks to run, or withdraw an unused approval. The same
command cannot be requested again for ten minutes. After three denials in a row the
conversation cannot request anything until you open it again with "bridge yolo enable".`,
		Example: `  bridge yolo deny 17`,
		Args:    oneRequest,
		RunE:    func(cmd *cobra.Command, args []string) error { return runYoloDeny(cmd.Context(), a, args[0]) },
	}
}

func runYoloDeny(ctx context.Context, a *app, number string) error {
	id, err := requestNumber(number)
	if err != nil {
		return err
	}
	return a.withCommands(ctx, func(s services) error {
		request, err := s.Command(ctx, id)
		if err != nil {
			return err
		}
		if err := s.Deny(ctx, request, "terminal"); err != nil {
			return err
		}
		return a.say("Denied: %s", cleantext.Escape(request.Command))
	})
}
