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
				return usagef("--only-new leaves messages unread, and --mark-read reads in order: give one of them")
			}
			return o.args(cmd, args)
		},
		SuggestFor: []string{"check", "watch"},
		RunE:       func(cmd *cobra.Command, _ []string) error { return runInbox(cmd.Context(), a, o) },
	}
	fs := cmd.Flags()
	o.register(fs)
	boolFlag(fs, &o.markRead, "mark-read", "mark them read: the agent does not get them again")
	boolFlag(fs, &o.follow, "follow", "go on with each new message, until told to end")
	boolFlag(fs, &o.once, "once", "end when no message is left, even with --follow")
	execFlag(fs, &o.exec, "each message, instead of printing it")
	boolFlag(fs, &o.onlyNew, "only-new", "with --follow, leave out the messages that wait already")
	settings(cmd, "token-file", "exec", "only-new")
	return cmd
}

// inboxHelp is the help text of bridge inbox.
const inboxHelp = `Print the unread messages of one session, oldest first, and end. They stay unread, and
the agent still gets them, unless --mark-read says otherwise.

With --follow, go on with each message the moment it was stored, until you press Ctrl-C
or the process gets SIGTERM. With --exec, run a program for each message instead of
printing it: it gets the message as JSON on its standard input, in order, one program at
a time, for 30 seconds at most. A program that fails is logged, and the next message is
handled; with --mark-read the command ends instead, and that message stays unread.

--json prints one document; with --follow, one object a line.

The exit code is 0 when done or told to end, 9 when the token was refused, and 10 when
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
