package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
)

type yoloStatusOptions struct{ all, follow, notify bool }

func newYoloStatusCmd(a *app) *cobra.Command {
	var o yoloStatusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "See which commands wait for your decision, and what is open",
		Long: `Show the conversations that you have opened for commands, and the commands of agents
that wait for your decision, newest first. A request waits for 15 minutes.

With --all, also show closed conversations, and earlier requests with their outcome.

With --follow, keep printing new requests as they arrive, until you press Ctrl-C; --json
then prints one request per line. --notify rings the terminal's bell and shows a desktop
notification for each, if notify-send (Linux) or osascript (macOS) is installed. The
notification names the request and contains no text from agents.`,
		Example: `  bridge yolo status
  bridge yolo status --follow --notify
  bridge yolo status --all --json | jq '.requests[] | select(.status == "denied")'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.notify && !o.follow || o.all && o.follow {
				return usagef("--notify is for --follow, and --follow shows new requests only: leave out --all")
			}
			return noArgs(cmd, args)
		},
		SuggestFor: []string{"pending", "list"},
		RunE:       func(cmd *cobra.Command, _ []string) error { return runYoloStatus(cmd.Context(), a, o) },
	}
	boolFlag(cmd.Flags(), &o.all, "all", "also show what is closed, decided, run or expired")
	boolFlag(cmd.Flags(), &o.follow, "follow", "keep printing new requests as they arrive")
	boolFlag(cmd.Flags(), &o.notify, "notify", "with --follow, ring the bell and show a desktop notification")
	return cmd
}

func runYoloStatus(ctx context.Context, a *app, o yoloStatusOptions) error {
	if o.follow {
		a.announce("waiting for requests to run a command")
		return follow(ctx, func(ctx context.Context) error {
			return a.withCommands(ctx, func(s services) error { return followRequests(ctx, a, s, o.notify) })
		})
	}
	return a.withCommands(ctx, func(s services) error {
		grants, err := grantsToShow(ctx, s, o.all)
		if err != nil {
			return err
		}
		requests, err := pendingRequests(ctx, s, s.Now(), o.all)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				Grants   []jsonGrant   `json:"grants"`
				Requests []jsonRequest `json:"requests"`
			}{viewGrants(grants, s.Now()), viewRequests(requests, s.Now())})
		}
		all, err := s.Conversations(ctx)
		if err != nil {
			return err
		}
		return printYoloStatus(a, all, s.Now(), grants, requests)
	})
}

// grantsToShow returns the open grants, or all that are in the store.
func grantsToShow(ctx context.Context, s services, all bool) ([]commands.Grant, error) {
	grants, err := s.Grants(ctx)
	if err != nil || all {
		return grants, err
	}
	return slices.DeleteFunc(grants, func(g commands.Grant) bool { return !s.Now().Before(g.ExpiresAt) }), nil
}

func printYoloStatus(a *app, all []bridge.Overview, now time.Time, grants []commands.Grant, requests []commands.Request) error {
	out := bufio.NewWriter(a.stdout)
	return errors.Join(writeYoloStatus(out, a.screen(), all, now, grants, requests), out.Flush())
}

func writeYoloStatus(out *bufio.Writer, screen screen, all []bridge.Overview, now time.Time, grants []commands.Grant, requests []commands.Request) error {
	id := screen.shortID(all)
	if len(grants) == 0 {
		_, _ = out.WriteString("No conversation is open for commands.\n")
	} else if err := grantTable(grants, now, id).print(out, screen); err != nil {
		return err
	}
	for _, line := range grantNotes(grants, id) {
		_, _ = out.WriteString(line + "\n")
	}
	if len(requests) == 0 {
		_, _ = out.WriteString("No command waits for your decision.\n")
		return nil
	}
	_, _ = out.WriteString("\n")
	if err := requestTable(requests, now, id).print(out, screen); err != nil || screen.width == 0 {
		return err
	}
	if i := slices.IndexFunc(requests, func(r commands.Request) bool { return r.Waiting(now) }); i >= 0 {
		_, _ = fmt.Fprintf(out, "\nDecide with: bridge yolo approve %d, or bridge yolo deny %[1]d\n", requests[i].ID)
	}
	return nil
}

// pendingRequests returns the pending requests, or all.
func pendingRequests(ctx context.Context, s services, now time.Time, all bool) ([]commands.Request, error) {
	query := commands.Query{State: commands.StatePending}
	if all {
		query.State = ""
	}
	requests, err := s.Commands(ctx, query)
	if err != nil || all {
		return requests, err
	}
	var waiting []commands.Request
	for _, r := range requests {
		if r.Waiting(now) {
			waiting = append(waiting, r)
		}
	}
	return waiting, nil
}

func requestTable(requests []commands.Request, now time.Time, id func(string) string) *table {
	t := &table{columns: []column{
		{title: "REQUEST", right: true},
		{title: "CONVERSATION", drop: 2},
		{title: "BY"},
		{title: "STATUS"},
		{title: "MODE"},
		{title: "AGE", right: true, drop: 1},
		{title: "SANDBOX", drop: 3},
		{title: "COMMAND", shrink: true, least: 40, wrap: true, below: true},
	}}
	for _, r := range requests {
		t.add(
			cell{text: strconv.FormatInt(r.ID, 10)},
			cell{text: id(r.Conversation)},
			cell{string(r.Session), sideStyle(string(r.Session))},
			cell{text: r.Status(now), style: when(r.Waiting(now), standout)},
			cell{text: string(r.Mode)},
			cell{text: formatAge(max(now.Sub(r.CreatedAt), 0))},
			cell{text: string(r.Sandbox)},
			cell{text: cleantext.Escape(r.Command)},
		)
	}
	return t
}
