package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/summary"
)

type statsOptions struct{ since moment }

func newStatsCmd(a *app) *cobra.Command {
	var o statsOptions
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count conversations, messages, delays, calls and refusals",
		Long: `Print statistics about the store: conversations, agents, tasks and claims, messages by
sender, delivery times, what you have not looked at, kinds of redacted secrets, calls
over a limit, and calls by outcome.

With --since, only newer messages, secrets and calls are counted, and only delays of
messages delivered since then; without it, delays are those of the last day. Everything
else is counted as of now. Delays leave out messages that were sent more than a day
before that time.`,
		Example: `  bridge stats
  bridge stats --since 1d
  bridge stats --json | jq '.calls[] | select(.outcome != "ok")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStats(cmd.Context(), a, o) },
	}
	sinceFlag(cmd.Flags(), &o.since, "messages and calls")
	return cmd
}

// stats holds the figures of a store.
type stats struct {
	Conversations int64            `json:"conversations"`
	Live          int64            `json:"live"`
	Paused        int64            `json:"paused"`
	Unread        int64            `json:"unread"`
	New           int64            `json:"new"` // messages since the operator last looked
	Alive         int64            `json:"alive"`
	Silent        int64            `json:"silent"`
	Tasks         int64            `json:"tasks"`
	Claims        int64            `json:"claims"`
	Approvals     int64            `json:"approvals_waiting"`
	Limited       int64            `json:"limited"`
	Messages      map[string]int64 `json:"messages"`
	Redacted      map[string]int64 `json:"redacted"`
	Calls         []callCount      `json:"calls"`
	jsonDelays
}

type callCount struct {
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

func runStats(ctx context.Context, a *app, o statsOptions) error {
	return a.withServices(ctx, false, func(s services) error {
		figures, err := gatherStats(ctx, s, o.since.time(a.now()), a.now())
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(figures)
		}
		return a.paged(func() error { return printStats(a, figures) })
	})
}

// delaysFor is the default period for the delays.
const delaysFor = 24 * time.Hour

func gatherStats(ctx context.Context, s services, since, now time.Time) (stats, error) {
	figures := stats{Calls: []callCount{}}
	keep := delaysFor
	if !since.IsZero() {
		keep = now.Sub(since)
	}
	log := &summary.Log{Entries: s.AuditEntries, Keep: keep}
	if err := log.Read(ctx, now); err != nil {
		return figures, err
	}
	figures.jsonDelays = jsonDelaysOf(log.Delays(now.Add(-keep)))
	sources := summary.Sources{Bridge: s.Service, Commands: s.commandService, Tasks: s.taskService, Claims: s.claimService}
	sum, err := sources.Gather(ctx, now)
	if err != nil {
		return figures, err
	}
	figures.present(sum)
	figures.New = summary.NewsOf(sum.All, log.Unseen(), now).Messages
	period, err := sources.Since(ctx, since)
	if err != nil {
		return figures, err
	}
	figures.Messages, figures.Redacted, figures.Limited = period.Messages.BySender, period.Messages.ByKind, period.Limited
	for _, c := range period.Calls {
		figures.Calls = append(figures.Calls, callCount{cleantext.Field(c.Action), cleantext.Field(c.Outcome), c.Count})
	}
	return figures, nil
}

// present sets the figures that are counted as of now.
func (s *stats) present(sum summary.Summary) {
	s.Conversations, s.Live = int64(len(sum.All)), int64(sum.Live)
	for _, c := range sum.All {
		s.Unread += unread(c)
		if !c.PausedAt.IsZero() {
			s.Paused++
		}
	}
	s.Alive, s.Silent = int64(sum.Alive), int64(sum.Silent)
	s.Tasks, s.Claims, s.Approvals = int64(len(sum.Tasks)), int64(len(sum.Claims)), int64(len(sum.Requests))
}

func printStats(a *app, s stats) error {
	screen := a.screen()
	if err := s.totals().print(a.stdout, screen); err != nil || len(s.Calls) == 0 {
		return err
	}
	if err := a.printLine(""); err != nil {
		return err
	}
	calls := &table{columns: []column{{title: "CALL", shrink: true}, {title: "OUTCOME"}, {title: "COUNT", right: true}}}
	slices.SortStableFunc(s.Calls, func(x, y callCount) int { return cmp.Compare(y.Count, x.Count) })
	for _, c := range s.Calls {
		how := when(c.Outcome != "ok", bad)
		calls.add(cell{c.Action, how}, cell{c.Outcome, how}, cell{fmt.Sprint(c.Count), how})
	}
	return calls.print(a.stdout, screen)
}

// totals returns the table of all figures except the calls.
func (s stats) totals() *table {
	t := &table{columns: []column{{title: "WHAT"}, {title: "COUNT", right: true}}}
	add := func(what string, n int64, how style) {
		t.add(cell{text: what}, cell{strconv.FormatInt(n, 10), how})
	}
	add("conversations", s.Conversations, plain)
	add("  live", s.Live, plain)
	add("  paused", s.Paused, when(s.Paused > 0, warn))
	add("agents alive", s.Alive, plain)
	add("agents silent", s.Silent, plain)
	add("open tasks", s.Tasks, plain)
	add("claims on files", s.Claims, plain)
	add("commands waiting for you", s.Approvals, when(s.Approvals > 0, standout))
	add("unread messages", s.Unread, when(s.Unread > 0, standout))
	add("messages since you last looked", s.New, when(s.New > 0, standout))
	for _, sender := range slices.Sorted(maps.Keys(s.Messages)) {
		add("messages from "+cleantext.Field(sender), s.Messages[sender], sideStyle(sender))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Redacted)) {
		add("messages with a redacted "+cleantext.Field(kind), s.Redacted[kind], warn)
	}
	add("calls over a limit", s.Limited, when(s.Limited > 0, warn))
	add("messages delivered", s.Delivered, plain)
	if s.Delivered > 0 {
		for _, d := range []struct {
			what    string
			seconds float64
		}{{"  half of them within", s.Median}, {"  95 of 100 within", s.P95}, {"  the slowest after", s.Longest}} {
			t.add(cell{text: d.what}, cell{text: formatDelay(time.Duration(d.seconds * float64(time.Second)))})
		}
	}
	return t
}
