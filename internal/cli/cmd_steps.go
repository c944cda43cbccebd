package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/view"
)

type stepsOptions struct {
	conversation string
	limit, task  int
	follow       bool
}

// stepsPage is the number of steps read in one query.
const stepsPage = 500

func newStepsCmd(a *app) *cobra.Command {
	var o stepsOptions
	cmd := &cobra.Command{
		Use:   "steps CONVERSATION",
		Short: "Read the steps that agents log, or follow them live",
		Long: `Agents that were started with the tools of the group "files" can log what they do, one
line per step (log_step). A step is not a message and wakes nobody. The last 2000 of a
conversation are kept.

Each line begins with the number, the time, the session and, if the step is about a
task, the task. Text from agents follows "> ", without anything that could control the
terminal.

With --follow, keep printing new steps as they arrive, until you press Ctrl-C; --json
then prints one step per line.`,
		Example: `  bridge steps 3f2a
  bridge steps 3f2a --follow
  bridge steps 3f2a --task 7 --limit 20
  bridge steps 3f2a --json | jq -r '.steps[].text'`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runSteps(cmd.Context(), a, o)
		},
	}
	fs := cmd.Flags()
	numberFlag(fs, &o.limit, "limit", "how many of the latest steps to print; 0 = all")
	numberFlag(fs, &o.task, "task", "only steps about this task of the conversation")
	boolFlag(fs, &o.follow, "follow", "keep printing new steps as they arrive")
	return cmd
}

func runSteps(ctx context.Context, a *app, o stepsOptions) error {
	if err := checkConversation(o.conversation); err != nil {
		return err
	}
	show := func(ctx context.Context) error {
		return a.withServices(ctx, false, func(s services) error {
			c, err := findConversation(ctx, s.Service, o.conversation)
			if err != nil {
				return err
			}
			r := stepReader{steps: s.stepService, query: steps.Query{Conversation: c.ID, Task: int64(o.task), Limit: stepsPage}}
			return showSteps(ctx, a, o, r)
		})
	}
	if o.follow {
		return follow(ctx, show)
	}
	return a.paged(func() error { return show(ctx) })
}

func showSteps(ctx context.Context, a *app, o stepsOptions, r stepReader) error {
	all, err := r.first(ctx, o.limit)
	if err != nil {
		return err
	}
	switch {
	case o.follow:
		return followSteps(ctx, a, r, all)
	case a.json:
		views := make([]view.Step, len(all))
		for i, s := range all {
			views[i] = view.StepOf(s)
		}
		return a.printJSON(struct {
			ConversationID string      `json:"conversation_id"`
			Steps          []view.Step `json:"steps"`
		}{r.query.Conversation, views})
	case len(all) == 0:
		_, err := fmt.Fprintln(a.stdout, "No steps have been logged.")
		return err
	}
	return printSteps(a, all)
}

// stepReader reads the steps of one conversation.
type stepReader struct {
	steps *steps.Service
	query steps.Query
}

// first returns the last steps, or all if limit is 0.
func (r stepReader) first(ctx context.Context, limit int) ([]steps.Step, error) {
	if limit > 0 {
		r.query.Limit, r.query.Last = limit, true
		return r.steps.Steps(ctx, r.query)
	}
	return r.after(ctx, 0)
}

// after returns all steps after number last.
func (r stepReader) after(ctx context.Context, last int64) (all []steps.Step, err error) {
	r.query.After = last
	for {
		page, err := r.steps.Steps(ctx, r.query)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < r.query.Limit {
			return all, nil
		}
		r.query.After = page[len(page)-1].Number
	}
}

// followSteps prints steps, and new ones until ctx ends.
func followSteps(ctx context.Context, a *app, r stepReader, all []steps.Step) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	last := int64(0)
	for {
		if err := printSteps(a, all); err != nil {
			return err
		}
		if len(all) > 0 {
			last = all[len(all)-1].Number
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var err error
		if all, err = r.after(ctx, last); err != nil {
			return err
		}
	}
}

// printSteps prints one step per line.
func printSteps(a *app, all []steps.Step) error {
	for _, s := range all {
		line := stepLine(s)
		if a.json {
			encoded, err := json.Marshal(view.StepOf(s))
			if err != nil {
				return err
			}
			line = string(encoded)
		}
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

func stepLine(s steps.Step) string {
	about := ""
	if s.Task != 0 {
		about = fmt.Sprintf(", task %d", s.Task)
	}
	return fmt.Sprintf("%d  %s  %s%s  > %s", s.Number, view.Stamp(s.At), s.Session, about, cleantext.CleanLine(s.Text))
}
