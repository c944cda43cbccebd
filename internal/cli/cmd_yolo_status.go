package cli

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/view"
)

type yoloStatusOptions struct{ all bool }

func newYoloStatusCmd(a *app) *cobra.Command {
	var o yoloStatusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "See which commands wait for your decision, and what is open",
		Long: `Show the conversations that you have opened for commands, and the commands that agents
ask to run and that wait for your decision, the newest first. A request waits for 15
minutes.

With --all, show closed conversations and earlier requests too, and their outcome.`,
		Example: `  bridge yolo status
  bridge yolo status --all --json | jq '.requests[] | select(.status == "denied")'`,
		Args:       noArgs,
		SuggestFor: []string{"pending", "list"},
		RunE:       func(cmd *cobra.Command, _ []string) error { return runYoloStatus(cmd.Context(), a, o) },
	}
	boolFlag(cmd.Flags(), &o.all, "all", "also what is closed, decided, run or expired")
	return cmd
}

func runYoloStatus(ctx context.Context, a *app, o yoloStatusOptions) error {
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
		return printYoloStatus(a, s.Now(), grants, requests)
	})
}

// grantsToShow returns the conversations that are open for commands, or all that
// the store still knows.
func grantsToShow(ctx context.Context, s services, all bool) ([]commands.Grant, error) {
	grants, err := s.Grants(ctx)
	if err != nil || all {
		return grants, err
	}
	return slices.DeleteFunc(grants, func(g commands.Grant) bool { return !s.Now().Before(g.ExpiresAt) }), nil
}

func printYoloStatus(a *app, now time.Time, grants []commands.Grant, requests []commands.Request) error {
	if len(grants) == 0 {
		if err := a.say("No conversation is open for commands."); err != nil {
			return err
		}
	} else if err := grantTable(grants, now).print(a.stdout, a.screen()); err != nil {
		return err
	}
	if len(requests) == 0 {
		return a.say("No command waits for your decision.")
	}
	if err := a.say(""); err != nil {
		return err
	}
	return requestTable(requests, now).print(a.stdout, a.screen())
}

// pendingRequests returns the requests that wait, or all.
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

func requestTable(requests []commands.Request, now time.Time) *table {
	t := &table{columns: []column{
		{title: "REQUEST", right: true},
		{title: "CONVERSATION", drop: 2},
		{title: "S"},
		{title: "STATUS"},
		{title: "MODE"},
		{title: "AGE", right: true, drop: 1},
		{title: "SANDBOX", drop: 3},
		{title: "COMMAND", shrink: true},
	}}
	for _, r := range requests {
		t.add(
			cell{text: strconv.FormatInt(r.ID, 10)},
			cell{text: view.Field(r.Conversation)},
			cell{text: string(r.Session)},
			cell{text: r.Status(now), style: when(r.Waiting(now), warn)},
			cell{text: string(r.Mode)},
			cell{text: formatAge(max(now.Sub(r.CreatedAt), 0))},
			cell{text: string(r.Sandbox)},
			cell{text: bridge.Escape(r.Command)},
		)
	}
	return t
}

// jsonRequest is a request for programs.
type jsonRequest struct {
	Request        int64     `json:"request"`
	ConversationID string    `json:"conversation_id"`
	SessionID      string    `json:"session_id"`
	Status         string    `json:"status"`
	Command        string    `json:"command"`
	Runs           []string  `json:"runs"`
	Mode           string    `json:"mode"`
	Workspace      string    `json:"workspace"`
	Sandbox        string    `json:"sandbox"`
	Network        bool      `json:"network"`
	TimeoutSeconds int       `json:"timeout_seconds"`
	CreatedAt      view.Time `json:"created_at"`
	ExpiresAt      view.Time `json:"expires_at"`
	DecidedAt      view.Time `json:"decided_at"`
	UsedAt         view.Time `json:"used_at"`
	EndedAt        view.Time `json:"ended_at"`
	ExitCode       *int64    `json:"exit_code"`
	Snapshot       int64     `json:"snapshot"`
}

func viewRequests(requests []commands.Request, now time.Time) []jsonRequest {
	views := make([]jsonRequest, len(requests))
	for i, r := range requests {
		views[i] = jsonRequest{
			Request: r.ID, ConversationID: r.Conversation, SessionID: string(r.Session), Status: r.Status(now),
			Command: bridge.Clean(r.Command), Runs: r.DescribePlan(), Mode: string(r.Mode), Workspace: bridge.Clean(r.Workspace),
			Sandbox: string(r.Sandbox), Network: r.Network, TimeoutSeconds: int(r.Timeout.Seconds()),
			CreatedAt: view.Time(r.CreatedAt), ExpiresAt: view.Time(r.ExpiresAt), DecidedAt: view.Time(r.DecidedAt),
			UsedAt: view.Time(r.UsedAt), EndedAt: view.Time(r.EndedAt), Snapshot: r.SnapshotNumber,
		}
		if !r.EndedAt.IsZero() {
			views[i].ExitCode = &r.ExitCode
		}
	}
	return views
}
