package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/view"
)

type watchOptions struct {
	sessionOptions
	exec    string
	onlyNew bool
	once    bool
}

func newWatchCmd(a *app) *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch" + sessionUse,
		Short: "Print each message to a session the moment it comes",
		Long: `Print each message to one session the moment it was stored, or run a program for it,
until told to end. Those that wait already come first. Nothing is marked read.

With --json, one object a line. A program (--exec) gets the same object on its
standard input; one runs at a time, in order, for 30 seconds at most, and a failure
is logged and does not end the watch. The exit code is 0 when told to end, 9 when the
token was refused and 10 when the conversation has expired.

` + sessionHelp,
		Example: `  bridge watch --token-file worker.env
  bridge watch --token-file worker.env --only-new --json
  bridge watch --token-file worker.env --exec ./notify.sh`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return runWatch(cmd.Context(), a, o) },
	}
	o.register(cmd.Flags())
	execFlag(cmd.Flags(), &o.exec, "each message, instead of printing it")
	boolFlag(cmd.Flags(), &o.onlyNew, "only-new", "leave out the messages that wait already")
	boolFlag(cmd.Flags(), &o.once, "once", "one round only")
	return cmd
}

func runWatch(ctx context.Context, a *app, o watchOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withStore(ctx, func(s *bridge.Service) error {
		c, err := a.session(ctx, s, o.sessionOptions)
		if err != nil {
			return err
		}
		each, err := watchOutlet(ctx, a, s, c, o)
		if err != nil {
			return err
		}
		return a.ended(ctx, fleet.Watch{Bridge: s, Session: c, OnlyNew: o.onlyNew, Once: o.once, Each: each, Log: a.log()}.Run(ctx))
	})
}

// watchOutlet returns what is done with each message.
func watchOutlet(ctx context.Context, a *app, s *bridge.Service, c bridge.Credentials, o watchOptions) (func(context.Context, bridge.Message) error, error) {
	view := func(m bridge.Message) (view.Message, error) {
		overview, err := s.Conversation(ctx, c.Conversation)
		return view.MessageOf(m, overview), err
	}
	switch {
	case o.exec != "":
		hook, err := a.hook(o.exec)
		return func(ctx context.Context, m bridge.Message) error {
			v, err := view(m)
			if err != nil {
				return err
			}
			event, err := marshal(v)
			if err != nil {
				return err
			}
			if err := hook.Send(ctx, event); err != nil && ctx.Err() == nil {
				a.log().Error("the hook failed", "message_id", m.ID, "error", err)
			}
			return nil
		}, err
	case a.json:
		return func(_ context.Context, m bridge.Message) error {
			v, err := view(m)
			if err != nil {
				return err
			}
			return newEncoder(a.stdout).Encode(v)
		}, nil
	}
	show := messagePrinter(ctx, a, s, c)
	return func(_ context.Context, m bridge.Message) error { return show([]bridge.Message{m}) }, nil
}
