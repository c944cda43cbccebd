package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/tasks"
)

type watchdogOptions struct {
	interval, silentAfter time.Duration
	exec                  string
	webhook, secretFile   string
	alertOnly, once       bool
}

func newWatchdogCmd(a *app) *cobra.Command {
	o := watchdogOptions{interval: fleet.WatchdogInterval, silentAfter: tasks.SilentAfter}
	cmd := &cobra.Command{
		Use:   "watchdog",
		Short: "Detect silent workers, alert, and reassign their tasks",
		Long: `Check all workers at an interval. When a worker's last sign of life is older than
--silent-after, it is silent: the watchdog writes that to the log, runs a program
(--exec), posts to a URL (--webhook), and sends its orchestrator a message, each once.
It does the same when the worker is back. Then the silent worker's tasks go to live
workers of its team. It runs until you press Ctrl-C or the process gets SIGTERM.

What was detected is in the store: a restart neither repeats nor forgets it, and of
several watchdogs on one store one does each thing. An alert comes again, under the
same alert_id, only if the process was killed while it delivered it.

A worker that never gave a sign of life counts as silent only if it has had a task for
as long as --silent-after. One that said "complete" and has no task does not count.
With --once --json, print the alerts and moves of that round as one document.

When the clock was set or the machine slept, no worker counts as silent until
--silent-after has passed once more.

A URL gets a POST with the event as JSON, the header X-Bridge-Timestamp, and in
X-Bridge-Signature "sha256=" and the HMAC of the time stamp, a period and the body. It
is tried four times. The secret is in BRIDGE_WATCHDOG_WEBHOOK_SECRET or in a file of
mode 0600.`,
		Example: `  bridge fleet watchdog
  bridge fleet watchdog --interval 30s --silent-after 3m --exec ./alert.sh
  bridge fleet watchdog --webhook https://example.org/a --webhook-secret-file secret
  bridge fleet watchdog --once --alert-only`,
		Args: func(cmd *cobra.Command, args []string) error {
			if a.json && !o.once {
				return usagef("--json is for --once: what a watchdog does while it runs is in its log (--log-format json)")
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runWatchdog(cmd.Context(), a, o) },
	}
	o.register(cmd.Flags())
	settings(cmd, "interval", "silent-after", "exec", "webhook", "webhook-secret-file", "alert-only")
	return cmd
}

func (o *watchdogOptions) register(fs *pflag.FlagSet) {
	ageFlag(fs, &o.interval, "interval", "the time between two rounds")
	silentAfterFlag(fs, &o.silentAfter)
	execFlag(fs, &o.exec, "each alert")
	textFlag(fs, &o.webhook, "url", "webhook", "a URL to post each alert to")
	textFlag(fs, &o.secretFile, kindPath, "webhook-secret-file", "a file of mode 0600 with the secret that signs")
	boolFlag(fs, &o.alertOnly, "alert-only", "leave the tasks of silent workers where they are")
	boolFlag(fs, &o.once, "once", "do one round, and end")
}

func runWatchdog(ctx context.Context, a *app, o watchdogOptions) error {
	if err := checkInterval("interval", o.interval); err != nil {
		return err
	}
	if err := checkInterval("silent-after", o.silentAfter); err != nil {
		return err
	}
	outlets, err := watchdogOutlets(a, o)
	if err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withTasks(ctx, func(s services) error {
		if !o.once {
			a.announce("looking for workers silent for %s, every %s", formatAge(o.silentAfter), formatAge(o.interval))
		}
		var done fleet.Round
		err := a.ended(ctx, fleet.Watchdog{
			Tasks: s.taskService, Interval: o.interval, After: o.silentAfter, Once: o.once, AlertOnly: o.alertOnly,
			Outlets: outlets, Log: a.log(), Done: o.record(a, &done),
		}.Run(ctx))
		if err != nil || o.record(a, &done) == nil {
			return err
		}
		return a.printJSON(struct {
			Alerts []fleet.Event `json:"alerts"`
			Moves  []jsonMove    `json:"moves"`
		}{append([]fleet.Event{}, done.Alerts...), jsonMoves(done.Moves)})
	})
}

// record is where a round is kept that is printed; nil where none is.
func (o watchdogOptions) record(a *app, done *fleet.Round) *fleet.Round {
	if !o.once || !a.json {
		return nil
	}
	return done
}

func watchdogOutlets(a *app, o watchdogOptions) (outlets []fleet.Outlet, err error) {
	if o.exec != "" {
		program, err := a.operatorProgram(o.exec)
		if err != nil {
			return nil, err
		}
		outlets = append(outlets, fleet.Outlet{Name: "exec", Send: program.Send})
	}
	if o.webhook != "" {
		hook, err := a.webhook(o.webhook, o.secretFile)
		if err != nil {
			return nil, err
		}
		outlets = append(outlets, fleet.Outlet{Name: "webhook", Send: hook.Send})
	}
	return outlets, nil
}
