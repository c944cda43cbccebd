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
		Short: "Look at everything in a browser",
		Long: `Show the store in a browser on this machine, as it changes: what waits for you, who is
alive and who is stuck, conversations, tasks, claims, shared files, steps, commands, the
audit log, limits and figures, and with --reports the runs of bridge harness. The page
can refuse a command, and pause and resume a conversation. Approving a command stays at
a terminal: the page shows what to type.

The page is offered on a loopback address, to one browser: the command writes a file that
only you can read, and opens it, which logs the browser in, once. Where no browser can be
opened, open the file yourself. Through ssh, forward the port with "ssh -L" and copy the
file.

Each transcript that is opened is in the audit log.`,
		Example: `  bridge ui
  bridge ui --no-browser --listen 127.0.0.1:8080
  bridge ui --reports reports`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runUI(cmd.Context(), a, o) },
	}
	textFlag(cmd.Flags(), &o.listen, "address", "listen", "a loopback address; port 0 is a free one")
	textFlag(cmd.Flags(), &o.reports, kindPath, "reports", "a folder of reports of bridge harness, whose runs are shown")
	boolFlag(cmd.Flags(), &o.noBrowser, "no-browser", "only say which file to open")
	return cmd
}

// verifyEvery is how old a verification of the audit log may be that the page shows.
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

// verifyBeside verifies the log on a connection of its own, so that nobody waits for it.
func (a *app) verifyBeside(ctx context.Context) (head audit.Head, err error) {
	err = a.withServices(ctx, false, func(s services) error {
		head, err = s.VerifyAudit(ctx, audit.Head{})
		return err
	})
	return head, err
}

// openBrowser opens a file in the browser that the person has chosen, if the system has
// a program for it. What is printed says what to do where it has none.
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
