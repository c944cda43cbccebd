package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type showOptions struct {
	conversation string
	limit        int
	since        moment
	from         string
	unread       bool
	follow       bool
}

func newShowCmd(a *app) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show CONVERSATION",
		Short: "Read one conversation, or follow it live",
		Long: `Show one conversation: its sessions and all messages, oldest first. Nothing is marked
read. Name a conversation by its id or an unambiguous beginning of it.

Text from agents is shown without anything that could control the terminal. Every line
of a message begins with "> "; lines without it are from bridge. Messages are numbered
across the conversation.

With --follow, keep printing new messages as they arrive, until you press Ctrl-C; --json
then prints one message per line, and no conversation.`,
		Example: `  bridge show conv_3f2a9c0d5e6b7a81
  bridge show 3f2a --follow
  bridge show 3f2a --unread
  bridge show 3f2a --since 30m --from a
  bridge show 3f2a --json | jq -r '.messages[].message'`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runShow(cmd.Context(), a, o)
		},
	}
	fs := cmd.Flags()
	numberFlag(fs, &o.limit, "limit", "how many of the latest messages to show; 0 = all")
	sinceFlag(fs, &o.since, "messages")
	sessionFlag(fs, &o.from, "from", "only messages from this session, the bridge (system) or the operator", bridge.System, bridge.Operator)
	boolFlag(fs, &o.unread, "unread", "only messages that their receiver has not read yet")
	boolFlag(fs, &o.follow, "follow", "keep printing new messages as they arrive")
	return cmd
}

func runShow(ctx context.Context, a *app, o showOptions) error {
	if err := checkConversation(o.conversation); err != nil {
		return err
	}
	show := func(ctx context.Context) error {
		return a.withStore(ctx, func(s *bridge.Service) error {
			c, err := findConversation(ctx, s, o.conversation)
			if err != nil {
				return err
			}
			return showConversation(ctx, a, s, o, c)
		})
	}
	if o.follow {
		return follow(ctx, show)
	}
	return a.paged(func() error { return show(ctx) })
}

func showConversation(ctx context.Context, a *app, s *bridge.Service, o showOptions, c bridge.Overview) error {
	reader := &transcript{service: s, id: c.ID, options: o, since: o.since.time(a.now())}
	if a.json && !o.follow {
		return showJSON(ctx, a, c, reader)
	}
	out := &transcriptPrinter{app: a, screen: a.screen()}
	if !a.json {
		if err := out.header(c); err != nil {
			return err
		}
	}
	shown := false
	err := reader.latest(ctx, func(page []numbered) error { shown = true; return out.messages(c, page) })
	if err != nil {
		return err
	}
	if !o.follow {
		if shown {
			return nil
		}
		return a.printLine("\n" + noneOf(c.Messages(), "message"))
	}
	a.announce("following %s", c.ID)
	return followTranscript(ctx, s, reader, out)
}

func showJSON(ctx context.Context, a *app, c bridge.Overview, reader *transcript) error {
	list := newJSONList(a.stdout, "messages")
	list.indented = true
	if err := list.field("conversation", view.OfConversation(c, a.now())); err != nil {
		return err
	}
	err := reader.eachMessage(ctx, func(m numbered) error { return list.add(view.MessageOf(m.Message, c)) })
	if err != nil {
		return err
	}
	return list.end()
}

// followTranscript prints new messages until the process is told to end.
func followTranscript(ctx context.Context, s *bridge.Service, reader *transcript, out *transcriptPrinter) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := reader.next(ctx, func(page []numbered) error {
			c, err := s.Conversation(ctx, reader.id)
			if err != nil {
				return err
			}
			return out.messages(c, page)
		})
		if err != nil {
			return err
		}
	}
}
