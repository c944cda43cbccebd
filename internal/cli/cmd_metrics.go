package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/backup"
	"example.org/bridge/internal/figures"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/privatefile"
)

type metricsOptions struct {
	listen, textfile, backups string
	verifyEvery               time.Duration
}

func newMetricsCmd(a *app) *cobra.Command {
	o := metricsOptions{verifyEvery: time.Hour}
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Export figures of the store to Prometheus",
		Long: `Print figures about the store in Prometheus's text format: conversations, agents, tasks,
claims and messages by state, delivery times of messages, calls by outcome, limits that
were hit, kinds of redacted secrets, pending approvals, what the operator has not looked
at, sizes, whether the audit log is intact, and with --backups when the last backup was
made. No figure names a conversation, an agent or a path.

With --json, print them as one document. With --listen, answer "GET /metrics" and "GET
/healthz" on a loopback address until you press Ctrl-C. With --textfile, atomically
write a file for the textfile collector of node_exporter, and exit: run it from a timer.

deploy/prometheus has rules for alerts.`,
		Example: `  bridge metrics
  bridge metrics --listen 127.0.0.1:9464 --backups ~/backups
  bridge metrics --textfile /var/lib/node_exporter/bridge.prom`,
		Args: func(cmd *cobra.Command, args []string) error {
			if a.json && (o.listen != "" || o.textfile != "") {
				return usagef("--listen and --textfile write Prometheus's text format: leave --json out")
			}
			if o.listen != "" && o.textfile != "" {
				return usagef("use only one of --listen and --textfile")
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runMetrics(cmd.Context(), a, o) },
	}
	flags := cmd.Flags()
	textFlag(flags, &o.listen, "address", "listen", "a loopback address to answer on, such as 127.0.0.1:9464")
	textFlag(flags, &o.textfile, kindPath, "textfile", "the file to write")
	textFlag(flags, &o.backups, kindPath, "backups", "the folder that `bridge backup` writes to")
	ageFlag(flags, &o.verifyEvery, "verify-every", "how often the whole audit log is verified")
	settings(cmd, "listen", "textfile", "backups", "verify-every")
	return cmd
}

func runMetrics(ctx context.Context, a *app, o metricsOptions) error {
	if err := a.needsStore(); err != nil {
		return err
	}
	for what, name := range map[string]string{"--textfile": o.textfile, "--backups": o.backups} {
		if err := a.checkName(what, name); err != nil {
			return err
		}
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	return a.withCommands(ctx, func(s services) error {
		key, err := keyfile.Load(a.keyFile(path))
		if err != nil {
			return err
		}
		c := a.collector(s, path)
		c.VerifyEvery = o.verifyEvery
		if o.backups != "" {
			c.Backups = func() (figures.Backups, error) { return lookAtBackups(o.backups, key) }
		}
		if o.listen != "" {
			return a.serveMetrics(ctx, c, o.listen)
		}
		all, err := c.Gather(ctx, a.now())
		if err != nil {
			return err
		}
		if o.textfile == "" {
			return a.printFigures(all)
		}
		return writeTextfile(o.textfile, all)
	})
}

// collector returns a collector of figures about the store at path.
func (a *app) collector(s services, path string) *figures.Collector {
	if a.onServer() {
		path = "" // 0 if there is no file
	}
	return &figures.Collector{
		Bridge: s.Service, Commands: s.commandService, Tasks: s.taskService, Claims: s.claimService, Path: path, Program: bridgeVersion(),
	}
}

func (a *app) printFigures(all []figures.Family) error {
	if !a.json {
		return figures.Write(a.stdout, all)
	}
	return a.printJSON(struct {
		Figures []figures.Figure `json:"figures"`
	}{figures.Figures(all)})
}

// lookAtBackups finds the last backup in a folder, which need not exist.
func lookAtBackups(dir string, key auth.Key) (found figures.Backups, err error) {
	all, err := backup.List(dir, key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(all) == 0 {
		return found, nil
	}
	if err != nil {
		return found, err
	}
	last := all[len(all)-1].Manifest
	return figures.Backups{Count: len(all), LastMade: last.Made, LastBytes: last.Bytes}, nil
}

// writeTextfile replaces a file that a collector running as another user reads.
func writeTextfile(path string, all []figures.Family) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := figures.Write(&text, all); err != nil {
		return err
	}
	return privatefile.Write{Mode: 0o644}.File(full, text.Bytes())
}

func (a *app) serveMetrics(ctx context.Context, c *figures.Collector, address string) error {
	ctx, stop := daemon(ctx)
	defer stop()
	l, err := figures.Listen(ctx, address)
	if err != nil {
		return usagef("--listen: %s", reason(err))
	}
	a.announce("figures at http://%s/metrics", l.Addr())
	a.log().Info("figures are offered", "address", l.Addr().String())
	s := &figures.Server{Collector: c, Now: a.now, Log: a.log()}
	return a.ended(ctx, s.Serve(ctx, l))
}
