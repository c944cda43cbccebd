package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
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
all its entries, and stays verifiable. What was kept beside the store for sessions of
clients that have no conversation any more goes, too.`,
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
		bindings, sweepErr := a.sweepBindings(ctx, s, o.dryRun)
		err = errors.Join(err, sweepErr)
		if a.json {
			return errors.Join(err, printCleanupJSON(a, o, removed, bindings))
		}
		return errors.Join(err, printCleanup(a, o, removed, bindings))
	})
}

// sweepBindings removes what clients' sessions have no use for any more, and
// returns how many sessions that were.
func (a *app) sweepBindings(ctx context.Context, s *bridge.Service, dryRun bool) (int, error) {
	path, err := a.storePath()
	if err != nil {
		return 0, err
	}
	return binding.Beside(path).Sweep(ctx, a.now(), dryRun, func(e binding.Entry) (bool, error) {
		_, err := s.CountMail(ctx, bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token})
		if errors.Is(err, bridge.ErrUnauthorized) {
			return false, nil
		}
		return err == nil, err
	})
}

func tally(removed []bridge.Overview) (messages, unread int64) {
	for _, r := range removed {
		messages += r.A.Received + r.B.Received
		unread += r.A.Unread + r.B.Unread
	}
	return messages, unread
}

func printCleanupJSON(a *app, o cleanupOptions, removed []bridge.Overview, bindings int) error {
	messages, unread := tally(removed)
	return a.printJSON(struct {
		DryRun        bool                `json:"dry_run"`
		Conversations []view.Conversation `json:"conversations"`
		Messages      int64               `json:"messages"`
		Unread        int64               `json:"unread"`
		Bindings      int                 `json:"bindings"`
	}{o.dryRun, view.OfConversations(removed, a.now()), messages, unread, bindings})
}

func printCleanup(a *app, o cleanupOptions, removed []bridge.Overview, bindings int) error {
	did := "Removed"
	if o.dryRun {
		did = "Would remove"
	}
	if bindings > 0 {
		if _, err := fmt.Fprintf(a.stdout, "%s what was kept for %s of clients.\n", did, view.Count(int64(bindings), "session")); err != nil {
			return err
		}
	}
	if len(removed) == 0 && bindings > 0 {
		return nil
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
		did, view.Count(int64(len(removed)), "conversation"), view.Count(messages, "message"), unread)
	return err
}
