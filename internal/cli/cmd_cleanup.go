package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
)

type cleanupOptions struct {
	olderThan time.Duration
	dryRun    bool
}

func newCleanupCmd(a *app) *cobra.Command {
	var o cleanupOptions
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove expired conversations",
		Long: `Remove the conversations that have expired, with their messages, and print them.
How many messages went that nobody had read is said with them. The audit log keeps
all its entries, and stays verifiable.`,
		Example: `  bridge cleanup --dry-run
  bridge cleanup --older-than 7d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCleanup(cmd.Context(), a, o) },
	}
	ageFlag(cmd.Flags(), &o.olderThan, "older-than", "only those that expired at least that long ago, such as 36h or 7d")
	boolFlag(cmd.Flags(), &o.dryRun, "dry-run", "only say what would be removed")
	return cmd
}

func runCleanup(ctx context.Context, a *app, o cleanupOptions) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		removed, err := s.Cleanup(ctx, o.olderThan, o.dryRun)
		if err != nil && len(removed) == 0 {
			return err
		}
		// What was removed before an error is gone, so it is printed in any case.
		if a.json {
			return errors.Join(err, printCleanupJSON(a, o, removed))
		}
		return errors.Join(err, printCleanup(a, o, removed))
	})
}

func tally(removed []bridge.Overview) (messages, unread int64) {
	for _, r := range removed {
		messages += r.A.Received + r.B.Received
		unread += r.A.Unread + r.B.Unread
	}
	return messages, unread
}

func printCleanupJSON(a *app, o cleanupOptions, removed []bridge.Overview) error {
	messages, unread := tally(removed)
	return a.printJSON(struct {
		DryRun        bool               `json:"dry_run"`
		Conversations []jsonConversation `json:"conversations"`
		Messages      int64              `json:"messages"`
		Unread        int64              `json:"unread"`
	}{o.dryRun, viewConversations(removed, a.now()), messages, unread})
}

func printCleanup(a *app, o cleanupOptions, removed []bridge.Overview) error {
	did := "Removed"
	if o.dryRun {
		did = "Would remove"
	}
	if len(removed) == 0 {
		_, err := fmt.Fprintln(a.stdout, "There is nothing to remove.")
		return err
	}
	if err := conversationTable(removed, a.now()).print(a.stdout, a.screen()); err != nil {
		return err
	}
	messages, unread := tally(removed)
	_, err := fmt.Fprintf(a.stdout, "\n%s %s with %s, %d of them unread.\n",
		did, count(int64(len(removed)), "conversation"), count(messages, "message"), unread)
	return err
}
