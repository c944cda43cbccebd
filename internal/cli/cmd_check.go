package cli

import (
	"bufio"
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/view"
)

type checkOptions struct {
	sessionOptions
	markRead bool
}

func newCheckCmd(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check" + sessionUse,
		Short: "Print the new messages of a session",
		Long: `Print the unread messages of one session, oldest first. They stay unread, and the
agent still gets them, unless --mark-read says otherwise.

` + sessionHelp,
		Example: `  BRIDGE_TOKEN=$(cat token) bridge check conv_3f2a9c0d5e6b7a81
  bridge check --token-file worker.env --mark-read --json`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd.Context(), a, o) },
	}
	o.register(cmd.Flags())
	boolFlag(cmd.Flags(), &o.markRead, "mark-read", "mark them read: the agent will not get them again")
	return cmd
}

func runCheck(ctx context.Context, a *app, o checkOptions) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		c, err := a.session(ctx, s, o.sessionOptions)
		if err != nil {
			return err
		}
		if a.json {
			return checkJSON(ctx, a, s, c, o)
		}
		shown, err := fleet.Check(ctx, s, c, o.markRead, messagePrinter(ctx, a, s, c))
		if err != nil || shown > 0 {
			return err
		}
		return a.printLine("There are no new messages.")
	})
}

// messagePrinter prints messages for people, and fails where they cannot be
// written: then they are not read.
func messagePrinter(ctx context.Context, a *app, s *bridge.Service, c bridge.Credentials) func([]bridge.Message) error {
	out, screen := bufio.NewWriter(a.stdout), a.screen()
	return func(page []bridge.Message) error {
		if len(page) == 0 {
			return nil
		}
		o, err := s.Conversation(ctx, c.Conversation)
		if err != nil {
			return err
		}
		for _, m := range page {
			showMessage(out, screen, m, o)
		}
		return out.Flush()
	}
}

// checkJSON prints one object a line, so that a page is whole before it is marked
// read.
func checkJSON(ctx context.Context, a *app, s *bridge.Service, c bridge.Credentials, o checkOptions) error {
	encoder := newEncoder(a.stdout)
	_, err := fleet.Check(ctx, s, c, o.markRead, func(page []bridge.Message) error {
		if len(page) == 0 {
			return nil
		}
		overview, err := s.Conversation(ctx, c.Conversation)
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := encoder.Encode(view.MessageOf(m, overview)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
