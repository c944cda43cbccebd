package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/view"
)

type keepaliveOptions struct {
	sessionOptions
	interval time.Duration
	once     bool
}

func newKeepaliveCmd(a *app) *cobra.Command {
	o := keepaliveOptions{interval: fleet.KeepaliveInterval}
	cmd := &cobra.Command{
		Use:   "keepalive" + sessionUse,
		Short: "Send heartbeats for an agent while it is busy",
		Long: `Send a heartbeat for one session at an interval, and print its number of unread
messages, until you press Ctrl-C or the process gets SIGTERM. Nothing is marked read,
and the agent's status is not changed. Start and stop it together with its agent,
because a heartbeat means that the agent is alive.

After an error that may be temporary, such as a full disk, it retries until it succeeds.
The exit code says why it ended: 0 on request, 9 the token was refused, 10 the
conversation has expired. --json prints one object per line.

` + sessionHelp,
		Example: `  BRIDGE_TOKEN=$(cat token) bridge fleet keepalive conv_3f2a9c0d5e6b7a81
  bridge fleet keepalive --token-file worker.env --interval 1m`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return runKeepalive(cmd.Context(), a, o) },
	}
	o.register(cmd.Flags())
	ageFlag(cmd.Flags(), &o.interval, "interval", "the time between two heartbeats")
	boolFlag(cmd.Flags(), &o.once, "once", "send one heartbeat and exit")
	settings(cmd, "token-file", "interval")
	return cmd
}

func runKeepalive(ctx context.Context, a *app, o keepaliveOptions) error {
	if err := checkInterval("interval", o.interval); err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withBeside(ctx, func(s besideAgent) error {
		c, err := a.session(ctx, s, o.sessionOptions)
		if err != nil {
			return err
		}
		if !o.once {
			a.announce("sending a heartbeat for session %s in %s every %s", c.Session, c.Conversation, formatAge(o.interval))
		}
		return a.ended(ctx, fleet.Keepalive{
			Bridge: s, Session: c, Interval: o.interval, Once: o.once, Log: a.log(),
			Beat: func(p bridge.Pulse) error { return printPulse(a, c, p) },
		}.Run(ctx))
	})
}

func printPulse(a *app, c bridge.Credentials, p bridge.Pulse) error {
	if a.json {
		return newEncoder(a.stdout).Encode(struct {
			At             view.Time `json:"at"`
			ConversationID string    `json:"conversation_id"`
			SessionID      string    `json:"session_id"`
			Unread         int64     `json:"unread"`
			ExpiresAt      view.Time `json:"expires_at"`
		}{view.Time(p.At), c.Conversation, string(c.Session), p.Unread, view.Time(p.ExpiresAt)})
	}
	return a.printLine(fmt.Sprintf("%s  heartbeat of %s in %s, unread %d", a.screen().stamp(p.At, a.now()), c.Session, c.Conversation, p.Unread))
}
