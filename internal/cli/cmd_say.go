package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type sayOptions struct {
	conversation, text string
	to                 []string
}

func newSayCmd(a *app) *cobra.Command {
	var o sayOptions
	cmd := &cobra.Command{
		Use:   "say CONVERSATION [TEXT|-]",
		Short: "Send agents a message as the operator",
		Long: `Send a message to the sessions of a conversation as its operator. They get it with their
next messages, marked trust: "operator". It does not count against limits, also reaches
a paused conversation, and does not approve anything.

Because agents could also run this command, the message is sent only after you have
typed a one-time code at a terminal, and never from an agent's own shell. Without TEXT,
or with -, the text is read from standard input.`,
		Example: `  bridge say 3f2a 'Stop after the tests, and report'
  bridge say 3f2a --to b - < plan.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef("`%s` takes a conversation and a text, but was given %d arguments: put the text in quotes", cmd.CommandPath(), len(args))
			}
			return nil
		},
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation, o.text = args[0], "-"
			if len(args) == 2 {
				o.text = args[1]
			}
			return runSay(cmd.Context(), a, o)
		},
	}
	sessionsFlag(cmd.Flags(), &o.to, "to", "the sessions to send it to, separated by commas (default all)")
	return cmd
}

func runSay(ctx context.Context, a *app, o sayOptions) error {
	if o.text == "-" {
		text, err := io.ReadAll(io.LimitReader(a.stdin, 4*bridge.MaxMessageLength+1))
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		o.text = strings.TrimRight(string(text), "\n")
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		c, err := findConversation(ctx, s, o.conversation)
		if err != nil {
			return err
		}
		for _, session := range o.to {
			if found, ok := c.Sessions.Of(bridge.SessionID(session)); !ok || !found.Listens() {
				return usagef("--to %s: no one has joined as that session. Sessions: %s", session, c.Sessions)
			}
		}
		if err := confirmSay(ctx, a, s, c, o); err != nil {
			return err
		}
		r := bridge.SayRequest{Conversation: c.ID, Text: o.text}
		for _, session := range o.to {
			r.To = append(r.To, bridge.SessionID(session))
		}
		sent, err := s.Say(ctx, r)
		if err != nil {
			return err
		}
		if a.json {
			return printSaidJSON(a, c, sent)
		}
		return a.say("Sent to %s.", view.Count(recipientCount(sent), "session"))
	})
}

// confirmSay shows what will be sent, and asks a human at a terminal to confirm it.
func confirmSay(ctx context.Context, a *app, s *bridge.Service, c bridge.Overview, o sayOptions) error {
	human, err := a.humanUnless(ctx, s, "say", c.ID, "")
	if err != nil {
		return err
	}
	defer human.close()
	human.show("", "This will be sent to "+c.ID+" as yours:", "")
	human.write(wrap(cleantext.Clean(o.text), "> ", helpWidth))
	return human.confirm(ctx, s, "say", c.ID, "", oneTimeCode())
}

// oneTimeCode returns six random hex digits.
func oneTimeCode() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b[:])
}

// recipientCount returns the number of recipients.
func recipientCount(sent []bridge.Sent) (all int64) {
	for _, m := range sent {
		all += int64(len(m.Recipients()))
	}
	return all
}

func printSaidJSON(a *app, c bridge.Overview, sent []bridge.Sent) error {
	type message struct {
		MessageID int64     `json:"message_id"`
		SessionID string    `json:"session_id"`
		Seq       int64     `json:"seq"`
		SentAt    view.Time `json:"sent_at"`
		Redacted  []string  `json:"redacted_kinds"`
	}
	var messages []message
	for _, m := range sent {
		said := message{m.ID, string(m.Partner.Session), m.Seq, view.Time(m.SentAt), view.Kinds(m.Redacted)}
		messages = append(messages, said)
		for _, r := range m.Further {
			said.SessionID, said.Seq = string(r.Session), r.Seq
			messages = append(messages, said)
		}
	}
	return a.printJSON(struct {
		ConversationID string    `json:"conversation_id"`
		Messages       []message `json:"messages"`
	}{c.ID, messages})
}
