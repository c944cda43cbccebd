package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

type tokensOptions struct {
	conversation string
	session      string
	rotate       bool
}

// sessions are those whose tokens are printed, or replaced.
func (o tokensOptions) sessions() []bridge.SessionID {
	if o.session != "" {
		return []bridge.SessionID{bridge.SessionID(o.session)}
	}
	return []bridge.SessionID{bridge.SessionA, bridge.SessionB}
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
redeemed, are invalid from then on. With --session only that session's token is
printed or replaced: replacing it locks out who has it, and the other agent goes on.
A join code that was not redeemed then stays good where the session is a.`,
		Example: `  bridge tokens conv_3f2a9c0d5e6b7a81
  bridge tokens 3f2a --rotate
  bridge tokens 3f2a --session b --rotate
  BRIDGE_TOKEN=$(bridge tokens 3f2a --json | jq -r .session_b_token)`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runTokens(cmd.Context(), a, o)
		},
	}
	boolFlag(cmd.Flags(), &o.rotate, "rotate", "replace the tokens; the old ones stop working at once")
	choiceFlag(cmd.Flags(), &o.session, []string{"a", "b"}, "session", "only the token of this session (default both)")
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
		tokens, err := deriveTokens(ctx, s, o, found.ID)
		if err != nil {
			return err
		}
		warnOfTokens(a, o, found)
		return printTokens(a, o, found, tokens)
	})
}

// deriveTokens returns the tokens to print; the pair may hold only one of them.
func deriveTokens(ctx context.Context, s *bridge.Service, o tokensOptions, id string) (bridge.TokenPair, error) {
	switch {
	case !o.rotate:
		return s.Tokens(ctx, id)
	case o.session == "":
		return s.RotateTokens(ctx, id)
	}
	session := bridge.SessionID(o.session)
	token, err := s.RotateToken(ctx, id, session)
	if session == bridge.SessionA {
		return bridge.TokenPair{Conversation: id, A: token}, err
	}
	return bridge.TokenPair{Conversation: id, B: token}, err
}

func warnOfTokens(a *app, o tokensOptions, found bridge.Overview) {
	_, _ = fmt.Fprintln(a.stderr, "bridge: warning: whoever has a token can read and write as its session: pass it on privately")
	switch {
	case !o.rotate:
	case o.session == "":
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the old tokens and an unused join code no longer work: give both agents the new ones")
	case bridge.SessionID(o.session) == bridge.SessionB:
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the old token of session b and an unused join code no longer work: give the new token only to who is to be session b")
	default:
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the old token of session a no longer works: give the new one only to who is to be session a")
	}
	if found.Expired(a.now()) {
		_, _ = fmt.Fprintln(a.stderr, "bridge: warning: the conversation has expired: with its tokens it can only be read, for 24 hours from its end")
	}
}

func printTokens(a *app, o tokensOptions, found bridge.Overview, tokens bridge.TokenPair) error {
	if a.json {
		printed := struct {
			ConversationID string `json:"conversation_id"`
			SessionAToken  string `json:"session_a_token,omitempty"`
			SessionBToken  string `json:"session_b_token,omitempty"`
			Rotated        bool   `json:"rotated"`
		}{ConversationID: tokens.Conversation, Rotated: o.rotate}
		for _, session := range o.sessions() {
			if session == bridge.SessionA {
				printed.SessionAToken = tokens.A
			} else {
				printed.SessionBToken = tokens.B
			}
		}
		return a.printJSON(printed)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "conversation %s\n", tokens.Conversation)
	roles := map[bridge.SessionID]string{bridge.SessionA: found.RoleA, bridge.SessionB: found.RoleB}
	for _, session := range o.sessions() {
		fmt.Fprintf(&text, "%s %s\n  %s\n", session, cleantext.Quoted(roles[session]), tokens.Of(session))
	}
	_, err := fmt.Fprint(a.stdout, text.String())
	return err
}
