package cli

import (
	"context"
	"time"

	"example.org/bridge/internal/view"
	"github.com/spf13/cobra"
)

type yoloCleanupOptions struct{ olderThan time.Duration }

func newYoloCleanupCmd(a *app) *cobra.Command {
	var o yoloCleanupOptions
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove old requests and closed grants",
		Long: `Remove requests that can no longer run, and grants whose time is over. The audit log
keeps all its entries. A rollback to the state before a command whose request was
removed needs the number of its snapshot.`,
		Example: `  bridge yolo cleanup
  bridge yolo cleanup --older-than 7d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runYoloCleanup(cmd.Context(), a, o) },
	}
	ageFlag(cmd.Flags(), &o.olderThan, "older-than", "only those that are at least so old, such as 36h or 7d")
	return cmd
}

func runYoloCleanup(ctx context.Context, a *app, o yoloCleanupOptions) error {
	return a.withCommands(ctx, func(s services) error {
		requests, grants, err := s.ForgetCommands(ctx, o.olderThan)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				Requests int64 `json:"requests"`
				Grants   int64 `json:"grants"`
			}{requests, grants})
		}
		return a.say("Removed %s and %s.", view.Count(requests, "request"), view.Count(grants, "grant"))
	})
}
