package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

type tasksOptions struct {
	of   string // a team or a conversation; empty for all
	all  bool
	task int
}

func newTasksCmd(a *app) *cobra.Command {
	var o tasksOptions
	cmd := &cobra.Command{
		Use:   "tasks [TEAM|CONVERSATION]",
		Short: "See who works on what",
		Long: `List the open tasks: who works on each, its state, and how long ago its worker gave a
sign of life. With a team, by its name or id, or a conversation, list only theirs. Teams
of different orchestrators may have the same name; TEAM then also shows the id.

On a machine that is connected to a gateway list only the tasks of this machine's own
agents: those of the teams that they lead, and those that they work on.

With --all, also list ended tasks. With --task, show one task with its body and history.
Text from agents is shown without anything that could control the terminal.`,
		Example: `  bridge tasks
  bridge tasks payments --all
  bridge tasks 3f2a
  bridge tasks --task 7
  bridge tasks --json | jq '.tasks[] | select(.state == "waiting")'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return usagef("`%s` takes at most one team or conversation, but was given %d", cmd.CommandPath(), len(args))
		},
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.of = args[0]
			}
			return runTasks(cmd.Context(), a, o)
		},
	}
	boolFlag(cmd.Flags(), &o.all, "all", "ended tasks too")
	numberFlag(cmd.Flags(), &o.task, "task", "show only this task, with its body and history; 0 = all tasks")
	return cmd
}

func runTasks(ctx context.Context, a *app, o tasksOptions) error {
	if join, ok, err := a.connected(); err != nil || ok {
		if err != nil {
			return err
		}
		return runTasksBehind(ctx, a, join, o)
	}
	return a.withTasks(ctx, func(s services) error {
		if o.task > 0 {
			return showTask(ctx, a, s, int64(o.task))
		}
		all, err := s.Tasks(ctx, !o.all)
		if err != nil {
			return err
		}
		if o.of != "" {
			if all, err = tasksOf(ctx, s.Service, all, o.of); err != nil {
				return err
			}
		}
		return a.printTasks(all, a.now(), func() (func(string) string, error) { return a.shortID(ctx, s.Service) })
	})
}

// printTasks prints the tasks as a table or as JSON. short shortens IDs.
func (a *app) printTasks(all []tasks.Task, now time.Time, short func() (func(string) string, error)) error {
	if a.json {
		views := make([]view.Task, len(all))
		for i, t := range all {
			views[i] = view.TaskOf(t, now)
		}
		return a.printJSON(struct {
			Tasks []view.Task `json:"tasks"`
		}{views})
	}
	if len(all) == 0 {
		return a.printLine("No tasks match.")
	}
	id, err := short()
	if err != nil {
		return err
	}
	return taskTable(all, now, id).print(a.stdout, a.screen())
}

// tasksOf returns the tasks of a team, or of a conversation if no team has that name.
func tasksOf(ctx context.Context, s *bridge.Service, all []tasks.Task, name string) ([]tasks.Task, error) {
	known, err := teamExists(ctx, s, name)
	if err != nil {
		return nil, err
	}
	if !known && !slices.ContainsFunc(all, func(t tasks.Task) bool { return inTeam(t.Team, t.TeamID, name) }) {
		found, err := findConversation(ctx, s, name)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(all, func(t tasks.Task) bool { return t.Worker != found.ID && t.Home != found.ID }), nil
	}
	return slices.DeleteFunc(all, func(t tasks.Task) bool { return !inTeam(t.Team, t.TeamID, name) }), nil
}

func inTeam(team, id, name string) bool { return team == name || id == name }

func teamExists(ctx context.Context, s *bridge.Service, name string) (bool, error) {
	conversations, err := s.Conversations(ctx)
	return slices.ContainsFunc(conversations, func(o bridge.Overview) bool { return inTeam(o.Team, o.TeamID, name) }), err
}

func taskTable(all []tasks.Task, now time.Time, id func(string) string) *table {
	t := &table{columns: []column{
		{title: "TASK", right: true},
		{title: "STATE"},
		{title: "TITLE", shrink: true, least: 24},
		{title: "WORKER"},
		{title: "ROLE", shrink: true, least: 12, drop: 3},
		{title: "NEEDS", shrink: true, least: 10, drop: 5},
		{title: "TEAM", shrink: true, least: 8, drop: 4},
		{title: "SIGN OF LIFE", drop: 1},
		{title: "AGE", right: true, drop: 2},
	}}
	shared := sharedTeamNames(all)
	for _, task := range all {
		team := cleantext.Field(task.Team)
		if team == "" || shared[task.Team] {
			team = strings.TrimSpace(team + " " + task.TeamID)
		}
		sign := "-"
		if task.Worker != "" && !task.State.Ended() {
			sign = formatAge(max(now.Sub(task.LeaseFrom()), 0)) + " ago"
		}
		t.add(
			cell{text: strconv.FormatInt(task.ID, 10)},
			cell{string(task.State), taskStyle(task.State)},
			cell{text: cleantext.Field(task.Title)},
			cell{text: orDash(shortWorker(task.Worker, id))},
			cell{text: orDash(cleantext.Field(task.Role))},
			cell{text: orDash(cleantext.Field(task.Needs))},
			cell{text: team},
			cell{text: sign},
			cell{text: formatAge(max(now.Sub(task.CreatedAt), 0))},
		)
	}
	return t
}

// sharedTeamNames returns the names that several teams have.
func sharedTeamNames(all []tasks.Task) map[string]bool {
	ids, shared := map[string]string{}, map[string]bool{}
	for _, task := range all {
		if id, seen := ids[task.Team]; seen && id != task.TeamID {
			shared[task.Team] = true
		}
		ids[task.Team] = task.TeamID
	}
	return shared
}

// shortWorker formats a worker as CONVERSATION or CONVERSATION/SESSION, with a short
// ID.
func shortWorker(worker string, id func(string) string) string {
	conversation, session, several := strings.Cut(worker, "/")
	if several {
		session = "/" + session
	}
	return id(conversation) + session
}

func taskStyle(s tasks.State) style {
	switch s {
	case tasks.Done:
		return good
	case tasks.Waiting:
		return warn
	case tasks.Failed, tasks.Declined:
		return bad
	}
	return plain
}

// showTask shows a task with its body and history.
func showTask(ctx context.Context, a *app, s services, id int64) error {
	history, err := s.TaskHistory(ctx, id)
	if err != nil {
		return err
	}
	all, err := s.Tasks(ctx, false)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t tasks.Task) bool { return t.ID == id })
	if i < 0 {
		return tasks.ErrNoTask // was removed in the meantime
	}
	return a.printTask(all[i], history, a.now(), func() (func(string) string, error) { return a.shortID(ctx, s.Service) })
}

// printTask prints a task with its history.
func (a *app) printTask(t tasks.Task, history []tasks.Event, now time.Time, short func() (func(string) string, error)) error {
	if a.json {
		return a.printJSON(struct {
			Task    view.Task        `json:"task"`
			History []view.TaskEvent `json:"history"`
		}{view.TaskOf(t, now), view.OfHistory(history)})
	}
	id, err := short()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.stdout)
	return errors.Join(writeTask(out, a.screen(), t, history, now, id), out.Flush())
}

// writeTask writes a task's row, its complete title and body, quoted, and its history.
func writeTask(out *bufio.Writer, screen screen, t tasks.Task, history []tasks.Event, now time.Time, id func(string) string) error {
	if err := taskTable([]tasks.Task{t}, now, id).print(out, screen); err != nil {
		return err
	}
	quoted := func(text string) string {
		return wrap(strings.ReplaceAll(cleantext.Clean(text), "\t", "    "), "> ", screen.width)
	}
	_, _ = out.WriteString("\n" + quoted(t.Title))
	if t.Body != "" {
		_, _ = out.WriteString("\n" + quoted(t.Body))
	}
	for _, e := range history {
		line := fmt.Sprintf("%s %s %s", screen.stamp(e.At, now), cleantext.Field(e.Actor), cleantext.Field(string(e.State)))
		if e.Worker != "" {
			line += ", worker " + shortWorker(e.Worker, id)
		}
		_, _ = out.WriteString("\n" + screen.line(line))
		if e.Note != "" {
			_, _ = out.WriteString(quoted(e.Note))
		}
	}
	return nil
}
