package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

type tokensOptions struct {
	conversation string
	rotate       bool
}

func newTokensCmd(a *app) *cobra.Command {
	var o tokensOptions
	cmd := &cobra.Command{
		Use:   "tokens CONVERSATION",
		Short: "Print or replace tokens, when an agent lost its own",
		Long: `Print the tokens of a conversation's two sessions, derived again from the key: the
store does not hold them. Whoever has a token can read and write as that session.
That they were shown is in the audit log.

With --rotate both tokens are replaced. The old ones, and a join code that was not
redeemed, are worthless from then on.`,
		Example: `  bridge tokens conv_3f2a9c0d5e6b7a81
  bridge tokens 3f2a --rotate
  BRIDGE_TOKEN=$(bridge tokens 3f2a --json | jq -r .session_b_token)`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runTokens(cmd.Context(), a, o)
		},
	}
	boolFlag(cmd.Flags(), &o.rotate, "rotate", "replace both tokens; the old ones stop working at once")
	return cmd
}

func runTokens(ctx context.Context, a *app, o tokensOptions) error {
	if err := checkConversation(o.conversation); err != nil {
		return err
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		found, err := findConversation(ctx, s, o.conversation)
		if err != nil {
			return err
		}
		derive := s.Tokens
		if o.rotate {
			derive = s.RotateTokens
		}
		tokens, err := derive(ctx, found.ID)
		if err != nil {
			return err
		}
		warnOfTokens(a, o, found)
		return printTokens(a, o, found, tokens)
	})
}

func warnOfTokens(a *app, o tokensOptions, found bridge.Overview) {
	_, _ = fmt.Fprintln(a.stderr, "bridge: warning: whoever has a token can read and write as its session: pass it on privately")
	if o.rotate {
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the old tokens and an unused join code no longer work: give both agents the new ones")
	}
	if found.Expired(a.now()) {
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the conversation has expired: with its tokens it can only be read, for 24 hours from its end")
	}
}

func printTokens(a *app, o tokensOptions, found bridge.Overview, tokens bridge.TokenPair) error {
	if a.json {
		return a.printJSON(struct {
			ConversationID string `json:"conversation_id"`
			SessionAToken  string `json:"session_a_token"`
			SessionBToken  string `json:"session_b_token"`
			Rotated        bool   `json:"rotated"`
		}{tokens.Conversation, tokens.A, tokens.B, o.rotate})
	}
	_, err := fmt.Fprintf(a.stdout, "conversation %s\na %s\n  %s\nb %s\n  %s\n",
		tokens.Conversation, cleantext.Quoted(found.RoleA), tokens.A, cleantext.Quoted(found.RoleB), tokens.B)
	return err
}
