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

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

type statsOptions struct{ since moment }

func newStatsCmd(a *app) *cobra.Command {
	var o statsOptions
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count conversations, messages, calls and refusals",
		Long: `Count what the store holds and what happened: conversations, messages by sender, the
kinds of secrets that were hidden, and calls by their outcome. With --since, only what
is newer; conversations are counted as they are now.`,
		Example: `  bridge stats
  bridge stats --since 1d
  bridge stats --json | jq '.calls[] | select(.outcome != "ok")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStats(cmd.Context(), a, o) },
	}
	sinceFlag(cmd.Flags(), &o.since, "messages and calls")
	return cmd
}

// stats are the figures of a store.
type stats struct {
	Conversations int64            `json:"conversations"`
	Live          int64            `json:"live"`
	Paused        int64            `json:"paused"`
	Unread        int64            `json:"unread"`
	Messages      map[string]int64 `json:"messages"`
	Redacted      map[string]int64 `json:"redacted"`
	Calls         []callCount      `json:"calls"`
}

type callCount struct {
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

func runStats(ctx context.Context, a *app, o statsOptions) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
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

func gatherStats(ctx context.Context, s *bridge.Service, since, now time.Time) (stats, error) {
	figures := stats{Calls: []callCount{}}
	all, err := s.Conversations(ctx)
	if err != nil {
		return figures, err
	}
	figures.Conversations = int64(len(all))
	for _, c := range all {
		figures.Unread += unread(c)
		if !c.Expired(now) {
			figures.Live++
		}
		if !c.PausedAt.IsZero() {
			figures.Paused++
		}
	}
	messages, err := s.CountMessages(ctx, since)
	if err != nil {
		return figures, err
	}
	figures.Messages, figures.Redacted = messages.BySender, messages.ByKind
	calls, err := s.Calls(ctx, since)
	for _, c := range calls {
		figures.Calls = append(figures.Calls, callCount{cleantext.Field(c.Action), cleantext.Field(c.Outcome), c.Count})
	}
	return figures, err
}

func printStats(a *app, s stats) error {
	screen := a.screen()
	totals := &table{columns: []column{{title: "WHAT"}, {title: "COUNT", right: true}}}
	add := func(t *table, what string, n int64, how style) {
		t.add(cell{text: what}, cell{strconv.FormatInt(n, 10), how})
	}
	add(totals, "conversations", s.Conversations, plain)
	add(totals, "  live", s.Live, plain)
	add(totals, "  paused", s.Paused, when(s.Paused > 0, warn))
	add(totals, "messages that wait", s.Unread, when(s.Unread > 0, standout))
	for _, sender := range slices.Sorted(maps.Keys(s.Messages)) {
		add(totals, "messages from "+cleantext.Field(sender), s.Messages[sender], sideStyle(sender))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Redacted)) {
		add(totals, "messages with a hidden "+cleantext.Field(kind), s.Redacted[kind], warn)
	}
	if err := totals.print(a.stdout, screen); err != nil || len(s.Calls) == 0 {
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
