package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

type reassignOptions struct {
	conversation string
	silentAfter  time.Duration
	dryRun       bool
}

func newReassignCmd(a *app) *cobra.Command {
	o := reassignOptions{silentAfter: tasks.SilentAfter}
	cmd := &cobra.Command{
		Use:   "reassign [CONVERSATION]",
		Short: "Move the tasks of silent workers to live ones now",
		Long: `Give each open task of a worker that is silent, or whose conversation has expired, to a
live worker of the same team that has the role the task needs: the one who had it
before, then one of the same role, then the one with the fewest open tasks. Without one,
the task waits for a later run. With a conversation, only its worker's tasks are
reassigned. The orchestrator and both workers get a message, and the audit log gets an
entry. Each task moves once, however many processes do this. "bridge fleet watchdog"
does this automatically.`,
		Example: `  bridge fleet reassign --dry-run
  bridge fleet reassign 3f2a --silent-after 90s`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("`%s` takes at most one conversation, but was given %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.conversation = args[0]
			}
			return runReassign(cmd.Context(), a, o)
		},
	}
	silentAfterFlag(cmd.Flags(), &o.silentAfter)
	boolFlag(cmd.Flags(), &o.dryRun, "dry-run", "only print what would be done")
	return cmd
}

func runReassign(ctx context.Context, a *app, o reassignOptions) error {
	if err := checkInterval("silent-after", o.silentAfter); err != nil {
		return err
	}
	return a.withTasks(ctx, func(s services) error {
		if o.conversation != "" {
			found, err := findConversation(ctx, s.Service, o.conversation)
			if err != nil {
				return err
			}
			o.conversation = found.ID
		}
		moves, err := s.MoveTasks(ctx, bridge.Operator, o.conversation, o.silentAfter, o.dryRun)
		return errors.Join(printMoves(a, o, moves), err)
	})
}

type jsonMove struct {
	TaskID int64   `json:"task_id"`
	TeamID string  `json:"team_id"`
	Title  string  `json:"title"`
	State  string  `json:"state"`
	From   *string `json:"from"`
	To     *string `json:"to"`
}

func jsonMoves(moves []tasks.Move) []jsonMove {
	views := make([]jsonMove, len(moves))
	for i, m := range moves {
		views[i] = jsonMove{m.Task.ID, m.Task.TeamID, cleantext.Clean(m.Task.Title), string(m.Task.State), view.Optional(m.From), view.Optional(m.Task.Worker)}
	}
	return views
}

func printMoves(a *app, o reassignOptions, moves []tasks.Move) error {
	if a.json {
		return a.printJSON(struct {
			DryRun bool       `json:"dry_run"`
			Moves  []jsonMove `json:"moves"`
		}{o.dryRun, jsonMoves(moves)})
	}
	if len(moves) == 0 {
		return a.printLine("There is nothing to reassign.")
	}
	t := &table{columns: []column{{title: "TASK", right: true}, {title: "TITLE", shrink: true}, {title: "FROM"}, {title: "TO"}}}
	for _, m := range moves {
		to := cell{text: m.Task.Worker}
		if m.Task.Worker == "" {
			to = cell{"waits: no live worker fits", warn}
		}
		t.add(cell{text: strconv.FormatInt(m.Task.ID, 10)}, cell{text: cleantext.Field(m.Task.Title)}, cell{text: orDash(m.From)}, to)
	}
	if err := t.print(a.stdout, a.screen()); err != nil {
		return err
	}
	did := "Reassigned"
	if o.dryRun {
		did = "Would reassign"
	}
	return a.printLine(fmt.Sprintf("\n%s %s.", did, view.Count(int64(len(moves)), "task")))
}
