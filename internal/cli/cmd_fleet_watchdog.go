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

// watchdogHelp is the help text of bridge fleet watchdog.
const watchdogHelp = `Check all workers at an interval. A worker is silent when its last sign of life is older
than --silent-after. The watchdog then writes to the log, runs a program (--exec), posts
to a URL (--webhook), and sends the worker's orchestrator a message, each once. It does
the same when the worker is back. After that it gives the silent worker's tasks to live
workers of its team. It runs until you press Ctrl-C or the process gets SIGTERM.

What was detected is recorded in the store, so it is neither repeated nor lost by a
restart. If several watchdogs run on one store, only one of them acts on each event. An
alert is repeated, with the same alert_id, only if the process was killed while
delivering it.

A worker that has never given a sign of life counts as silent only if it has had a task
for at least --silent-after. A worker whose status is "complete" and that has no task
does not count. With --once --json, print the alerts and moves of that round as one
document.

After the clock was changed or the machine slept, no worker counts as silent until
--silent-after has passed again.

A URL gets a POST with the event as JSON, the header X-Bridge-Timestamp, and in
X-Bridge-Signature "sha256=" and the HMAC of the time stamp, a period and the body. Up
to four attempts are made. The secret is taken from BRIDGE_WATCHDOG_WEBHOOK_SECRET or
from a file of mode 0600.`

func newWatchdogCmd(a *app) *cobra.Command {
	o := watchdogOptions{interval: fleet.WatchdogInterval, silentAfter: tasks.SilentAfter}
	cmd := &cobra.Command{
		Use:   "watchdog",
		Short: "Detect silent workers, alert, and reassign their tasks",
		Long:  watchdogHelp,
		Example: `  bridge fleet watchdog
  bridge fleet watchdog --interval 30s --silent-after 3m --exec ./alert.sh
  bridge fleet watchdog --webhook https://example.org/a --webhook-secret-file secret
  bridge fleet watchdog --once --alert-only`,
		Args: func(cmd *cobra.Command, args []string) error {
			if a.json && !o.once {
				return usagef("--json is for --once: a running watchdog reports to its log (--log-format json)")
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
	textFlag(fs, &o.secretFile, kindPath, "webhook-secret-file", "a file of mode 0600 with the secret for signing")
	boolFlag(fs, &o.alertOnly, "alert-only", "do not reassign the tasks of silent workers")
	boolFlag(fs, &o.once, "once", "do one round and exit")
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

// record returns where to record a round for printing; nil if it is not printed.
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
