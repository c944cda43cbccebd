package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/snapshot"
)

type yoloCleanupOptions struct{ olderThan, snapshots time.Duration }

func newYoloCleanupCmd(a *app) *cobra.Command {
	o := yoloCleanupOptions{snapshots: snapshot.DefaultMaxAge}
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove old requests and closed grants",
		Long: `Remove requests that can no longer run, and grants whose time is over. The audit log
keeps all its entries. A rollback to the state before a command whose request was
removed needs the number of its snapshot.

Snapshots of workspaces are removed when they are 30 days old, and the oldest when all
together exceed 8 GiB. The bridge looks once a day; this command does at once.`,
		Example: `  bridge yolo cleanup
  bridge yolo cleanup --older-than 7d
  bridge yolo cleanup --snapshots 1d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runYoloCleanup(cmd.Context(), a, o) },
	}
	ageFlag(cmd.Flags(), &o.olderThan, "older-than", "only those that are at least so old, such as 36h or 7d")
	ageFlag(cmd.Flags(), &o.snapshots, "snapshots", "also snapshots that are at least so old")
	return cmd
}

func runYoloCleanup(ctx context.Context, a *app, o yoloCleanupOptions) error {
	return a.withCommands(ctx, func(s services) error {
		requests, grants, err := s.ForgetCommands(ctx, o.olderThan)
		if err != nil {
			return err
		}
		tidied, err := s.ForgetSnapshots(ctx, o.snapshots)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				Requests  int64 `json:"requests"`
				Grants    int64 `json:"grants"`
				Snapshots int   `json:"snapshots"`
				Bytes     int64 `json:"snapshot_bytes"`
			}{requests, grants, tidied.Snapshots, tidied.Bytes})
		}
		return a.say("Removed %s, %s and %s.", count(requests, "request"), count(grants, "grant"), count(int64(tidied.Snapshots), "snapshot"))
	})
}
