package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type extendOptions struct {
	conversation string
	by           time.Duration
}

func newExtendCmd(a *app) *cobra.Command {
	o := extendOptions{by: bridge.DefaultExtension}
	cmd := &cobra.Command{
		Use:   "extend CONVERSATION",
		Short: "Let a conversation live longer, or bring an expired one back",
		Long: `Set how long from now a conversation lives, up to 7 days. If it already lives longer,
nothing changes. If nobody has joined yet, a new join code is made and printed. Through
the socket of a role below admin (bridge access serve) the code is not changed.`,
		Example: `  bridge extend 3f2a
  bridge extend 3f2a --for 12h`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runExtend(cmd.Context(), a, o)
		},
	}
	ageFlag(cmd.Flags(), &o.by, "for", "how long from now it lives")
	return cmd
}

func runExtend(ctx context.Context, a *app, o extendOptions) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		c, err := findConversation(ctx, s, o.conversation)
		if err != nil {
			return err
		}
		extend := s.ExtendByOperator
		if !a.mayPrintSecrets() {
			extend = s.ExtendWithoutCode
		}
		e, err := extend(ctx, c.ID, o.by)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				ConversationID string    `json:"conversation_id"`
				ExpiresAt      view.Time `json:"expires_at"`
				JoinCode       string    `json:"join_code,omitempty"`
				JoinExpiresAt  view.Time `json:"join_code_expires_at"`
			}{c.ID, view.Time(e.ExpiresAt), e.JoinCode, view.Time(e.JoinExpiresAt)})
		}
		if err := a.say("It expires at %s.", a.moment(e.ExpiresAt)); err != nil || e.JoinCode == "" {
			return err
		}
		return a.say("Join code, until %s: %s", a.moment(e.JoinExpiresAt), e.JoinCode)
	})
}
