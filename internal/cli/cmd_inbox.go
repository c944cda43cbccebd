package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/fleet"
)

type inboxOptions struct {
	sessionOptions
	exec              string
	markRead, onlyNew bool
	follow, once      bool
}

func newInboxCmd(a *app) *cobra.Command {
	var o inboxOptions
	cmd := &cobra.Command{
		Use:   "inbox" + sessionUse,
		Short: "Read an agent's messages outside its client",
		Long:  inboxHelp,
		Example: `  BRIDGE_TOKEN=$(cat token) bridge inbox conv_3f2a9c0d5e6b7a81
  bridge inbox --token-file worker.env --mark-read
  bridge inbox --token-file worker.env --follow --json
  bridge inbox --token-file worker.env --follow --exec ./notify.sh`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.onlyNew && o.markRead {
				return usagef("--only-new leaves messages unread, and --mark-read reads in order: use only one of them")
			}
			return o.args(cmd, args)
		},
		SuggestFor: []string{"check", "watch"},
		RunE:       func(cmd *cobra.Command, _ []string) error { return runInbox(cmd.Context(), a, o) },
	}
	fs := cmd.Flags()
	o.register(fs)
	boolFlag(fs, &o.markRead, "mark-read", "mark the messages read, so the agent will not get them")
	boolFlag(fs, &o.follow, "follow", "keep running and handle new messages as they arrive")
	boolFlag(fs, &o.once, "once", "exit when no message is left, even with --follow")
	execFlag(fs, &o.exec, "each message, instead of printing it")
	boolFlag(fs, &o.onlyNew, "only-new", "with --follow, leave out messages that are already waiting")
	settings(cmd, "token-file", "exec", "only-new")
	return cmd
}

// inboxHelp is the help text of bridge inbox.
const inboxHelp = `Print the unread messages of one session, oldest first, and exit. They stay unread, so
the agent still gets them, unless --mark-read is given.

With --follow, continue with each message as soon as it is stored, until you press
Ctrl-C or the process gets SIGTERM. With --exec, run a program for each message instead
of printing it: it gets the message as JSON on its standard input. Programs run in
order, one at a time, for at most 30 seconds each. If a program fails, that is logged
and the next message is handled; with --mark-read the command ends instead, and that
message stays unread.

--json prints one document, or with --follow one object per line.

The exit code is 0 when done or on request, 9 when the token was refused, and 10 when
the conversation has expired.

` + sessionHelp

func runInbox(ctx context.Context, a *app, o inboxOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withBeside(ctx, func(s besideAgent) error {
		c, err := a.session(ctx, s, o.sessionOptions)
		if err != nil {
			return err
		}
		out, err := newInboxOutlet(a, s, c, o)
		if err != nil {
			return err
		}
		inbox := fleet.Inbox{
			Bridge: s, Session: c, MarkRead: o.markRead, OnlyNew: o.onlyNew, Page: out.page(), Show: out.show, Log: a.log(),
		}
		if o.follow && !o.once {
			a.announce("following the inbox of session %s in %s", c.Session, c.Conversation)
			return a.ended(ctx, inbox.Follow(ctx))
		}
		shown, err := inbox.Read(ctx)
		if err != nil {
			return err
		}
		return out.end(shown)
	})
}
