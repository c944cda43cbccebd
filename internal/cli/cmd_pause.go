package cli

import (
	"context"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
)

type pauseOptions struct {
	conversation string
	all          bool
}

func newPauseCmd(a *app) *cobra.Command {
	return newPausingCmd(a, &cobra.Command{
		Use:   "pause [CONVERSATION]",
		Short: "Stop agents from changing anything, until you resume",
		Long: `Pause a conversation, or with --all every conversation of the store. While it is paused,
agents cannot send, join, extend it, assign or update tasks, or run commands; they are
told that the operator has paused the conversation. Reading, status updates and your own
messages still work. Join codes stay valid. With --all no conversations can be created.`,
		Example: `  bridge pause 3f2a
  bridge pause --all`,
	}, "pause every conversation, including new ones", func(ctx context.Context, s *bridge.Service, id string) (string, error) {
		changed, err := s.Pause(ctx, id)
		return outcome(changed, "Paused.", "It was already paused."), err
	})
}

func newResumeCmd(a *app) *cobra.Command {
	return newPausingCmd(a, &cobra.Command{
		Use:   "resume [CONVERSATION]",
		Short: "End a pause",
		Long: `End the pause of a conversation, or with --all every pause. A conversation that was
paused by --all continues only after resume --all.`,
		Example: `  bridge resume 3f2a
  bridge resume --all`,
	}, "end every pause", func(ctx context.Context, s *bridge.Service, id string) (string, error) {
		changed, err := s.Resume(ctx, id)
		if err != nil {
			return "", err
		}
		pauses, err := s.Pauses(ctx)
		if len(pauses) > 0 && !pauses.Of(id).IsZero() {
			return "It stays paused, because all conversations are: `bridge resume --all` ends that.", err
		}
		return outcome(changed, "Resumed.", "It was not paused."), err
	})
}

func outcome(changed bool, yes, no string) string {
	if changed {
		return yes
	}
	return no
}

// newPausingCmd completes a command that takes a conversation or --all.
func newPausingCmd(a *app, cmd *cobra.Command, all string, do func(context.Context, *bridge.Service, string) (string, error)) *cobra.Command {
	var o pauseOptions
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if o.all == (len(args) == 1) || len(args) > 1 {
			return usagef("`%s` takes one conversation, or --all: `bridge list` shows them", cmd.CommandPath())
		}
		return nil
	}
	cmd.ValidArgsFunction = completeConversation(a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			o.conversation = args[0]
		}
		return runPausing(cmd.Context(), a, o, do)
	}
	boolFlag(cmd.Flags(), &o.all, "all", all)
	return cmd
}

func runPausing(ctx context.Context, a *app, o pauseOptions, do func(context.Context, *bridge.Service, string) (string, error)) error {
	return a.withStore(ctx, func(s *bridge.Service) error {
		id := ""
		if !o.all {
			c, err := findConversation(ctx, s, o.conversation)
			if err != nil {
				return err
			}
			id = c.ID
		}
		text, err := do(ctx, s, id)
		if err != nil {
			return err
		}
		if a.json {
			pauses, err := s.Pauses(ctx)
			if err != nil {
				return err
			}
			return a.printJSON(struct {
				ConversationID string `json:"conversation_id"`
				Paused         bool   `json:"paused"`
			}{id, !pauses.Of(id).IsZero()})
		}
		return a.printLine(text)
	})
}
