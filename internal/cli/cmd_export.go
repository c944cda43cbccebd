package cli

import (
	"bufio"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

type exportOptions struct {
	conversation, format string
	since                moment
}

// Formats of an export.
const (
	formatMarkdown = "md"
	formatHTML     = "html"
)

func newExportCmd(a *app) *cobra.Command {
	o := exportOptions{format: formatMarkdown}
	cmd := &cobra.Command{
		Use:   "export CONVERSATION",
		Short: "Write one conversation as a document",
		Long: `Write a conversation with all its messages to standard output, to archive or share it:
as Markdown, as a single HTML page that loads nothing, or as JSON lines with one message
per line (--json is the same as --format jsonl). Nothing is marked read. Redacted text
stays redacted.

Text from agents is plain text in the document: markup in it has no effect.`,
		Example: `  bridge export 3f2a > conversation.md
  bridge export 3f2a --format html > conversation.html
  bridge export 3f2a --format jsonl | jq -r .message`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.conversation = args[0]
			return runExport(cmd.Context(), a, o)
		},
	}
	choiceFlag(cmd.Flags(), &o.format, []string{formatMarkdown, formatHTML, formatJSONL}, "format", "the format of the document")
	sinceFlag(cmd.Flags(), &o.since, "messages")
	return cmd
}

func runExport(ctx context.Context, a *app, o exportOptions) error {
	if a.json {
		o.format = formatJSONL
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		c, err := findConversation(ctx, s, o.conversation)
		if err != nil {
			return err
		}
		reader := &transcript{service: s, id: c.ID, since: o.since.time(a.now())}
		out := bufio.NewWriter(a.stdout)
		switch o.format {
		case formatHTML:
			err = writeHTML(ctx, out, newDocument(c, a.now()), reader)
		case formatJSONL:
			encoder := newEncoder(out)
			err = reader.eachMessage(ctx, func(m numbered) error { return encoder.Encode(view.MessageOf(m.Message, c)) })
		default:
			d := newDocument(c, a.now())
			d.writeMarkdown(out)
			err = reader.eachMessage(ctx, func(m numbered) error { return writeMarkdown(out, d.message(m)) })
		}
		return errors.Join(err, out.Flush())
	})
}
