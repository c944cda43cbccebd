package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type cleanupOptions struct {
	olderThan, snapshots time.Duration
	dryRun               bool
}

func newCleanupCmd(a *app) *cobra.Command {
	var o cleanupOptions
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove expired conversations, old requests and what they left",
		Long: `Remove expired conversations with their messages, and print how many of the messages
were unread. Also remove requests to run a command that can no longer run, closed
grants, and the files next to the store for sessions of clients that no longer have a
conversation.

The audit log keeps all entries and can still be verified. To roll back a command whose
request was removed you need the number of its snapshot.

In conversations that stay, old versions of shared files, steps and idempotency keys are
removed if "bridge retention set" limits their age. Messages are never removed.

A conversation that has ended only because something other than bridge has changed its
end is not removed, but named in the output. The exit code is then 16 if everything else
succeeded.

Snapshots of workspaces are removed when they are 30 days old, and the oldest ones while
the total size exceeds 8 GiB. A running bridge does this once a day; this command does
it immediately.

The default ages are those of "bridge retention".`,
		Example: `  bridge cleanup --dry-run
  bridge cleanup --older-than 7d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCleanup(cmd.Context(), a, cmd.Flags(), o) },
	}
	ageFlag(cmd.Flags(), &o.olderThan, "older-than", "only what ended at least this long ago, such as 36h or 7d")
	ageFlag(cmd.Flags(), &o.snapshots, "snapshots", "also snapshots that are at least this old")
	boolFlag(cmd.Flags(), &o.dryRun, "dry-run", "only print what would be removed")
	return cmd
}

// cleaned lists what a cleanup removed, or would remove.
type cleaned struct {
	conversations    []bridge.Overview
	left             []string // conversations whose end was changed by something else
	requests, grants int64
	bindings         int
	snapshots        int
	old              bridge.Old // from conversations that stay
}

// retained sets options that were not given to the store's retention settings.
func (o *cleanupOptions) retained(ctx context.Context, s services, given *pflag.FlagSet) error {
	kept, err := s.Retention(ctx)
	for _, r := range kept {
		switch {
		case r.Kind == bridge.RetainConversations && !given.Changed("older-than"):
			o.olderThan = r.Age
		case r.Kind == bridge.RetainSnapshots && !given.Changed("snapshots"):
			o.snapshots = r.Age
		}
	}
	return err
}

func runCleanup(ctx context.Context, a *app, given *pflag.FlagSet, o cleanupOptions) error {
	return a.withCommands(ctx, func(s services) error {
		var done cleaned
		err := o.retained(ctx, s, given)
		if err != nil {
			return err
		}
		done.conversations, err = s.Cleanup(ctx, o.olderThan, o.dryRun)
		var left *bridge.MovedEndsError
		if errors.As(err, &left) {
			done.left, err = left.Conversations, nil
		}
		if err != nil && len(done.conversations) == 0 {
			return err
		}
		// What was removed before an error is gone, so it is printed even then.
		var commandErr, snapshotErr, sweepErr, oldErr error
		done.old, oldErr = s.ForgetOld(ctx, o.dryRun)
		done.requests, done.grants, commandErr = s.ForgetCommands(ctx, o.olderThan, o.dryRun)
		done.snapshots, snapshotErr = s.ForgetSnapshots(ctx, o.snapshots, o.dryRun)
		done.bindings, sweepErr = a.sweepBindings(ctx, s.Service, o.dryRun)
		if errors.Is(sweepErr, context.DeadlineExceeded) {
			a.log().Warn("a client keeps the bindings locked: the next cleanup will remove the rest")
			sweepErr = nil
		}
		err = errors.Join(err, oldErr, commandErr, snapshotErr, sweepErr)
		if !o.dryRun {
			err = errors.Join(err, s.Compact(ctx))
		}
		if a.json {
			err = errors.Join(err, printCleanupJSON(a, o, done))
		} else {
			err = errors.Join(err, printCleanup(a, o, done))
		}
		return a.withLeft(err, left)
	})
}

// withLeft returns the result of a cleanup that may have left conversations. If
// something failed, that error decides the exit code.
func (a *app) withLeft(err error, left *bridge.MovedEndsError) error {
	switch {
	case left == nil:
		return err
	case err == nil:
		return left
	}
	_, text := explain(left)
	a.note(text)
	return err
}

// sweepTimeout is how long cleanup waits for clients that keep their bindings locked.
// The next cleanup removes what is left.
const sweepTimeout = 5 * time.Second

// sweepBindings removes stored sessions of clients whose tokens are no longer valid, and
// returns how many there were.
func (a *app) sweepBindings(ctx context.Context, s *bridge.Service, dryRun bool) (int, error) {
	path, err := a.storePath()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	return binding.Beside(path).Sweep(ctx, a.now(), dryRun, func(e binding.Entry) (bool, error) {
		_, err := s.CountMail(ctx, bridge.Credentials{Conversation: e.Conversation, Session: bridge.SessionID(e.Session), Token: e.Token})
		if errors.Is(err, bridge.ErrUnauthorized) {
			return endMovedOf(ctx, s, e.Conversation)
		}
		return err == nil, err
	})
}

// endMovedOf reports whether the conversation will be usable again with the same tokens
// once the operator has set its end.
func endMovedOf(ctx context.Context, s *bridge.Service, conversation string) (bool, error) {
	o, err := s.Conversation(ctx, conversation)
	if errors.Is(err, bridge.ErrNotFound) {
		return false, nil
	}
	return o.EndMoved, err
}

func tally(removed []bridge.Overview) (messages, unread int64) {
	for _, r := range removed {
		messages += r.Messages()
		unread += r.Sessions.Unread()
	}
	return messages, unread
}

func printCleanupJSON(a *app, o cleanupOptions, done cleaned) error {
	messages, unread := tally(done.conversations)
	return a.printJSON(struct {
		DryRun        bool                `json:"dry_run"`
		Conversations []view.Conversation `json:"conversations"`
		Messages      int64               `json:"messages"`
		Unread        int64               `json:"unread"`
		Requests      int64               `json:"requests"`
		Grants        int64               `json:"grants"`
		Bindings      int                 `json:"bindings"`
		Snapshots     int                 `json:"snapshots"`
		FileVersions  int64               `json:"file_versions"`
		Steps         int64               `json:"steps"`
		Keys          int64               `json:"idempotency_keys"`
		Left          []string            `json:"left"`
	}{
		o.dryRun, view.OfConversations(done.conversations, a.now()), messages, unread, done.requests, done.grants, done.bindings, done.snapshots,
		done.old.FileVersions, done.old.Steps, done.old.Keys, append([]string{}, done.left...),
	})
}

func printCleanup(a *app, o cleanupOptions, done cleaned) error {
	did := "Removed"
	if o.dryRun {
		did = "Would remove"
	}
	var lines []string
	if len(done.conversations) > 0 {
		if err := conversationTable(done.conversations, a.now(), cleantext.Field).print(a.stdout, a.screen()); err != nil {
			return err
		}
		messages, unread := tally(done.conversations)
		lines = append(lines, fmt.Sprintf("\n%s %s with %s, %d of them unread.",
			did, view.Count(int64(len(done.conversations)), "conversation"), view.Count(messages, "message"), unread))
	}
	if done.requests+done.grants > 0 {
		lines = append(lines, fmt.Sprintf("%s %s and %s.", did, view.Count(done.requests, "request"), view.Count(done.grants, "closed grant")))
	}
	if old := done.old; old != (bridge.Old{}) {
		lines = append(lines, fmt.Sprintf("%s %s of shared files, %s and %s of conversations that stay.", did,
			view.Count(old.FileVersions, "old version"), view.Count(old.Steps, "step"), view.Count(old.Keys, "idempotency key")))
	}
	if done.snapshots > 0 {
		lines = append(lines, fmt.Sprintf("%s %s of workspaces.", did, view.Count(int64(done.snapshots), "snapshot")))
	}
	if done.bindings > 0 {
		lines = append(lines, fmt.Sprintf("%s the files of %s of clients.", did, view.Count(int64(done.bindings), "session")))
	}
	if lines == nil {
		lines = []string{"There is nothing to remove."}
	}
	return a.printLine(strings.Join(lines, "\n"))
}
