package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

type searchOptions struct {
	words, conversation string
	since               moment
	limit               int
}

const defaultFound = 50

func newSearchCmd(a *app) *cobra.Command {
	o := searchOptions{limit: defaultFound}
	cmd := &cobra.Command{
		Use:   "search WORDS",
		Short: "Find messages by their words",
		Long: `Find the messages that contain all words, newest first. Case and accents are ignored.
Words "in quotes" must follow each other, and begin* finds words that begin with it.
Redacted text cannot be found.`,
		Example: `  bridge search migration
  bridge search 'rollback "staging database" deploy*' --since 2d
  bridge search token --conversation 3f2a --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("`%s` needs words to search for", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.words = strings.Join(args, " ")
			return runSearch(cmd.Context(), a, o)
		},
	}
	fs := cmd.Flags()
	textFlag(fs, &o.conversation, kindText, "conversation", "only in this conversation")
	sinceFlag(fs, &o.since, "messages")
	countFlag(fs, &o.limit, "limit", fmt.Sprintf("the maximum number of messages, up to %d", bridge.MaxFound))
	return cmd
}

func runSearch(ctx context.Context, a *app, o searchOptions) error {
	terms, err := bridge.ParseSearch(o.words)
	if err != nil {
		return err
	}
	return a.paged(func() error {
		return a.withStore(ctx, func(s *bridge.Service) error {
			q := bridge.SearchQuery{Terms: terms, Since: o.since.time(a.now()), Limit: o.limit}
			if o.conversation != "" {
				c, err := findConversation(ctx, s, o.conversation)
				if err != nil {
					return err
				}
				q.Conversation = c.ID
			}
			result, err := s.Search(ctx, q)
			if err != nil {
				return err
			}
			return printFound(ctx, a, s, result.Found)
		})
	})
}

func printFound(ctx context.Context, a *app, s *bridge.Service, found []bridge.Found) error {
	all, err := s.Conversations(ctx)
	if err != nil {
		return err
	}
	known := map[string]bridge.Overview{}
	for _, c := range all {
		known[c.ID] = c
	}
	if a.json {
		return a.printJSON(struct {
			Found []jsonFound `json:"found"`
		}{viewFound(found, known)})
	}
	if len(found) == 0 {
		return a.printLine("No messages match.")
	}
	out, screen := bufio.NewWriter(a.stdout), a.screen()
	id := screen.shortID(all)
	for i, f := range found {
		if i > 0 {
			_ = out.WriteByte('\n')
		}
		m := f.Message
		title := fmt.Sprintf("%s  %s %s -> %s, %s", id(f.Conversation), screen.stamp(m.SentAt, a.now()), cleantext.Field(m.From), cleantext.Field(m.To.String()), cleantext.Field(string(m.Action)))
		_, _ = out.WriteString(screen.paint(title, strong(sideStyle(m.From))) + "\n" + excerpt(f.Excerpt, screen))
	}
	return out.Flush()
}

// excerpt returns the part of a message around the search words, which are highlighted
// on a screen with colours.
func excerpt(text string, screen screen) string {
	line := strings.NewReplacer(bridge.MarkBegin, "", bridge.MarkEnd, "").Replace(text)
	lines := wrapWords(cleantext.Field(line), "> ", "> ", screen.width)
	if !screen.colour {
		return lines
	}
	for _, part := range strings.Split(text, bridge.MarkBegin)[1:] {
		word, _, _ := strings.Cut(part, bridge.MarkEnd)
		if word = cleantext.Field(word); word != "" {
			lines = strings.ReplaceAll(strings.ReplaceAll(lines, screen.paint(word, standout), word), word, screen.paint(word, standout))
		}
	}
	return lines
}

type jsonFound struct {
	ConversationID string       `json:"conversation_id"`
	Message        view.Message `json:"message"`
	Excerpt        string       `json:"excerpt"`
}

func viewFound(found []bridge.Found, known map[string]bridge.Overview) []jsonFound {
	views := make([]jsonFound, len(found))
	for i, f := range found {
		views[i] = jsonFound{f.Conversation, view.MessageOf(f.Message, known[f.Conversation]), cleantext.Clean(f.Excerpt)}
	}
	return views
}
