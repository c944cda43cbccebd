package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/systemtool"
	"example.org/bridge/internal/ui"
)

type uiOptions struct {
	listen    string
	reports   string
	noBrowser bool
}

func newUICmd(a *app) *cobra.Command {
	o := uiOptions{listen: "127.0.0.1:0"}
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "Show everything in a browser",
		Long: `Show the store in a browser on this machine, updated as it changes: what waits for you,
which agents are alive or stuck, conversations, tasks, claims, shared files, steps,
commands, the audit log, limits and figures, and with --reports the runs of bridge
harness. On the page you can refuse a command, and pause and resume a conversation.
Commands can only be approved at a terminal: the page shows what to type.

The page is served on a loopback address, to one browser: the command writes a file that
only you can read and opens it, which logs the browser in, once. If no browser can be
opened, open the file yourself. Through ssh, forward the port with "ssh -L" and copy the
file.

Each transcript that you open is recorded in the audit log.`,
		Example: `  bridge ui
  bridge ui --no-browser --listen 127.0.0.1:8080
  bridge ui --reports reports`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runUI(cmd.Context(), a, o) },
	}
	textFlag(cmd.Flags(), &o.listen, "address", "listen", "a loopback address; port 0 means a free port")
	textFlag(cmd.Flags(), &o.reports, kindPath, "reports", "a folder with reports of bridge harness to show")
	boolFlag(cmd.Flags(), &o.noBrowser, "no-browser", "only print which file to open")
	return cmd
}

// verifyEvery is the maximum age of a verification of the audit log that the page
// shows.
const verifyEvery = 10 * time.Minute

func runUI(ctx context.Context, a *app, o uiOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	name, err := a.storeName()
	if err != nil {
		return err
	}
	return a.withServices(ctx, false, func(s services) (err error) {
		l, err := ui.Listen(ctx, o.listen)
		if err != nil {
			return usagef("--listen: %s", reason(err))
		}
		runs, err := a.runReader(o.reports)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		server := ui.New(ui.Config{
			Bridge: s.Service, Commands: s.commandService, Tasks: s.taskService, Claims: s.claimService, Files: s.fileService, Steps: s.stepService, Runs: runs,
			Now: a.now, Log: a.log(), Store: name, Verify: a.verifyBeside, VerifyEvery: verifyEvery,
		}, l)
		link, err := server.Link("")
		if err != nil {
			return errors.Join(err, l.Close())
		}
		defer func() { err = errors.Join(err, link.Remove()) }()
		if _, err := fmt.Fprintf(a.stdout, "The page is at %s\nOpen this file to log a browser in, once: %s\n", server.Address(), link.Path()); err != nil {
			return err
		}
		if !o.noBrowser {
			openBrowser(ctx, link.Path())
		}
		a.announce("showing the page")
		return a.ended(ctx, server.Serve(ctx))
	})
}

// verifyBeside verifies the log on its own connection, so that nothing else waits for
// it.
func (a *app) verifyBeside(ctx context.Context) (head audit.Head, err error) {
	err = a.withServices(ctx, false, func(s services) error {
		head, err = s.VerifyAudit(ctx, audit.Head{})
		return err
	})
	return head, err
}

// openBrowser opens a file in the user's browser, if the system has a program for that.
// Otherwise the printed text tells the user what to do.
func openBrowser(ctx context.Context, path string) {
	name := map[string]string{"darwin": "open", "windows": "explorer"}[runtime.GOOS]
	if name == "" {
		name = "xdg-open"
	}
	tool, err := systemtool.Find(name)
	if err != nil {
		return
	}
	cmd := exec.CommandContext(ctx, tool, path) // #nosec G204 -- a program of the system's
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
