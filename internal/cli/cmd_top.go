package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/summary"
)

func newTopCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch who works, who is stuck and what waits for you",
		Long: `Show the state of the store on one screen of a terminal, and keep it current: the
commands that wait for your decision, unassigned tasks, the agents, with those that are
stuck first, and what happened in the last hour and day. "new" counts the messages since
you last looked at their conversation. It works over ssh and adapts to any size.

An agent is stuck if its status is "blocked", or if it has unread messages and has given
no sign of life for two minutes. q or Ctrl-C exits and restores your screen.

If the output is not a terminal, or with --json, everything is printed once.`,
		Example: `  bridge top
  ssh host bridge top
  bridge top --json | jq '.agents[] | select(.stuck)'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTop(cmd.Context(), a) },
	}
	return cmd
}

func runTop(ctx context.Context, a *app) error {
	return a.withServices(ctx, false, func(s services) error {
		w := &watched{
			sources: summary.Sources{Bridge: s.Service, Commands: s.commandService, Tasks: s.taskService, Claims: s.claimService, Log: &summary.Log{Entries: s.AuditEntries, Keep: 24 * time.Hour}},
			now:     s.Now,
		}
		var err error
		if w.store, err = a.storeName(); err != nil {
			return err
		}
		if err := w.read(ctx); err != nil {
			return err
		}
		switch {
		case a.json:
			return a.printJSON(jsonTopOf(w.top))
		case !a.redraws():
			_, err := a.stdout.WriteString(strings.Join(topLines(w.top, a.screen(), 0), "\n") + "\n")
			return err
		}
		return follow(ctx, func(ctx context.Context) error { return a.redrawTop(ctx, w) })
	})
}

// redraws reports whether the output is a terminal on which the screen can be redrawn.
func (a *app) redraws() bool {
	return a.screen().width > 0 && coloursWork && a.env("TERM") != "dumb"
}

const (
	// topEvery is the interval for reading the store's state, figuresEvery that for
	// counting past events.
	topEvery     = 2 * time.Second
	figuresEvery = 10 * time.Second
)

// watched is the data that top shows, as of the last read.
type watched struct {
	top
	sources summary.Sources
	now     func() time.Time
	counted time.Time
}

// read updates the data. If it fails, the earlier data stays.
func (w *watched) read(ctx context.Context) error {
	now := w.now()
	sum, err := w.sources.Gather(ctx, now)
	if err != nil {
		return err
	}
	if since := now.Sub(w.counted); since >= figuresEvery || since < 0 {
		if err := w.sources.Log.Read(ctx, now); err != nil {
			return err
		}
		hour, err := w.sources.Since(ctx, now.Add(-time.Hour))
		if err != nil {
			return err
		}
		day, err := w.sources.Since(ctx, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		w.hour, w.day, w.counted, w.unseen = hour, day, now, w.sources.Log.Unseen()
	}
	w.Summary = sum
	return nil
}
