package cli

import (
	"context"
	"fmt"
	"slices"
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

func newTokensCmd(a *app) *cobra.Command {
	var o tokensOptions
	cmd := &cobra.Command{
		Use:   "tokens CONVERSATION",
		Short: "Print or replace tokens, if an agent lost its own",
		Long: `Print the tokens of a conversation's sessions. They are derived from the key again,
because the store does not contain them. Whoever has a token can read and write as that
session. The audit log records that they were shown.

With --rotate all tokens are replaced. The old ones and unused join codes become
invalid. With --session only that session's token is printed or replaced: replacing it
locks out whoever has the old one, while the other agents keep working. An unused join
code for another session then stays valid.`,
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
	boolFlag(cmd.Flags(), &o.rotate, "rotate", "replace the tokens; the old ones stop working immediately")
	sessionFlag(cmd.Flags(), &o.session, "session", "only the token of this session (default all)")
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
		tokens, err := deriveTokens(ctx, s, o, found)
		if err != nil {
			return err
		}
		warnOfTokens(a, o, found)
		return printTokens(a, o, found, tokens)
	})
}

// deriveTokens returns the tokens to print.
func deriveTokens(ctx context.Context, s *bridge.Service, o tokensOptions, c bridge.Overview) ([]bridge.Token, error) {
	session := bridge.SessionID(o.session)
	_, known := c.Sessions.Of(session)
	switch {
	case o.session != "" && !known:
		return nil, usagef("--session must be a session of the conversation: %s", bridge.Recipients(c.Sessions.IDs()))
	case o.rotate && o.session == "":
		return s.RotateTokens(ctx, c.ID)
	case o.rotate:
		token, err := s.RotateToken(ctx, c.ID, session)
		return []bridge.Token{{Session: session, Token: token}}, err
	}
	all, err := s.Tokens(ctx, c.ID)
	return slices.DeleteFunc(all, func(t bridge.Token) bool { return o.session != "" && t.Session != session }), err
}

func warnOfTokens(a *app, o tokensOptions, found bridge.Overview) {
	a.note("warning: whoever has a token can read and write as its session: pass it on privately")
	switch {
	case !o.rotate:
	case o.session == "":
		a.note("warning: the old tokens and an unused join code no longer work: give all agents the new ones")
	case o.session == string(bridge.SessionA):
		a.note("warning: the old token of session a no longer works: give the new one only to the agent for session a")
	default:
		a.note(fmt.Sprintf("warning: the old token of session %[1]s and an unused join code no longer work: give the new token only to the agent for session %[1]s", o.session))
	}
	if found.Expired(a.now()) {
		a.note("warning: the conversation has expired: its tokens only allow reading, for 24 hours after its end")
	}
}

func printTokens(a *app, o tokensOptions, found bridge.Overview, tokens []bridge.Token) error {
	if a.json {
		printed := map[string]any{"conversation_id": found.ID, "rotated": o.rotate}
		for _, t := range tokens {
			printed["session_"+string(t.Session)+"_token"] = t.Token
		}
		return a.printJSON(printed)
	}
	_, err := a.stdout.WriteString(tokensText(a.screen(), found, tokens))
	return err
}

func tokensText(screen screen, c bridge.Overview, tokens []bridge.Token) string {
	var text strings.Builder
	fmt.Fprintf(&text, "conversation %s\n", c.ID)
	for _, t := range tokens {
		who := string(t.Session) + " " + cleantext.Quoted(c.Sessions.Role(t.Session))
		if screen.width > 0 {
			who = cut(who, screen.width) // so that no line begins with an agent's words
		}
		text.WriteString(who + "\n")
		fmt.Fprintf(&text, "  %s\n", t.Token)
	}
	return text.String()
}
