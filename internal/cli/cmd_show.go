package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/view"
)

func newShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show CONVERSATION",
		Short: "Read one conversation",
		Long: `Show one conversation: its two sessions and all messages, oldest first. Nothing is
marked read. A conversation is named by its id or an unambiguous beginning of it.

What agents wrote is shown without anything that could control the terminal. Every
line of a message begins with "> "; lines without it are bridge's own.`,
		Example: `  bridge show conv_3f2a9c0d5e6b7a81
  bridge show 3f2a
  bridge show 3f2a --json | jq -r '.messages[].message'`,
		Args:              oneConversation,
		ValidArgsFunction: completeConversation(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), a, args[0]) },
	}
}

func runShow(ctx context.Context, a *app, name string) error {
	if err := checkConversation(name); err != nil {
		return err
	}
	return a.withStore(ctx, func(s *bridge.Service) error {
		o, err := findConversation(ctx, s, name)
		if err != nil {
			return err
		}
		if a.json {
			return showJSON(ctx, a, s, o)
		}
		return showText(ctx, a, s, o)
	})
}

// showPage is how many messages are read at once.
const showPage = 200

// eachMessage calls visit with every message of a conversation, in order.
func eachMessage(ctx context.Context, s *bridge.Service, id string, visit func(bridge.Message)) error {
	var last int64
	for {
		page, err := s.Messages(ctx, id, last, showPage)
		if err != nil {
			return err
		}
		for _, m := range page {
			visit(m)
			last = m.ID
		}
		if len(page) < showPage {
			return nil
		}
	}
}

// showJSON writes one document, a page of messages at a time: a conversation may
// be larger than the memory that it is worth.
func showJSON(ctx context.Context, a *app, s *bridge.Service, o bridge.Overview) error {
	out := bufio.NewWriter(a.stdout)
	head, err := marshal(view.OfConversation(o, a.now()))
	if err != nil {
		return err
	}
	if err := indented(out, "{\n  \"conversation\": ", head, "  "); err != nil {
		return err
	}
	between := ",\n  \"messages\": ["
	var failed error
	err = eachMessage(ctx, s, o.ID, func(m bridge.Message) {
		text, err := marshal(view.MessageOf(m, o))
		if err == nil {
			err = indented(out, between+"\n    ", text, "    ")
		}
		failed, between = errors.Join(failed, err), ","
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	end := "\n  ]\n}\n"
	if between != "," {
		end = between + "]\n}\n" // no message
	}
	_, _ = out.WriteString(end)
	return out.Flush()
}

// indented writes a JSON value behind a text, as part of an indented document.
func indented(out *bufio.Writer, before string, value []byte, prefix string) error {
	var text bytes.Buffer
	if err := json.Indent(&text, value, prefix, "  "); err != nil {
		return err
	}
	_, _ = out.WriteString(before)
	_, err := out.Write(text.Bytes())
	return err
}

func showText(ctx context.Context, a *app, s *bridge.Service, o bridge.Overview) error {
	screen := a.screen()
	out := bufio.NewWriter(a.stdout)
	if err := showHeader(out, a, screen, o); err != nil {
		return err
	}
	err := eachMessage(ctx, s, o.ID, func(m bridge.Message) { showMessage(out, screen, m, o) })
	if err != nil {
		return err
	}
	return out.Flush()
}

func showHeader(out *bufio.Writer, a *app, screen screen, o bridge.Overview) error {
	now := a.now()
	for _, line := range []struct{ name, text string }{
		{"Conversation", view.Field(o.ID)},
		{"Team", view.Field(o.Team)},
		{"Created", formatTime(o.CreatedAt) + " (" + formatAgo(o.CreatedAt, now) + ")"},
		{"Joined", formatTime(o.JoinedAt)},
		{expiryName(o.Expired(now)), formatTime(o.ExpiresAt) + " (" + formatAgo(o.ExpiresAt, now) + ")"},
	} {
		if line.text == "" {
			continue
		}
		_, _ = out.WriteString(wrap(line.text, fmt.Sprintf("%-14s", line.name+":"), screen.width))
	}
	_ = out.WriteByte('\n')
	t := &table{columns: []column{
		{title: "SESSION"},
		{title: "ROLE", shrink: true},
		{title: "STATUS"},
		{title: "HEARTBEAT"},
		{title: "ALIVE"},
		{title: "RECEIVED", right: true, drop: 1},
		{title: "UNREAD", right: true},
	}}
	for _, s := range []bridge.SessionState{o.A, o.B} {
		heartbeat := "never"
		if age, ok := s.Age(now); ok {
			heartbeat = formatAge(age) + " ago"
		}
		alive := cell{"no", faint}
		if s.Alive(now) {
			alive = cell{"yes", good}
		}
		t.add(cell{text: string(s.Session)}, cell{text: view.Field(s.Role)}, cell{text: orDash(view.Field(string(s.Status)))},
			cell{text: heartbeat}, alive, cell{text: strconv.FormatInt(s.Received, 10)},
			cell{strconv.FormatInt(s.Unread, 10), when(s.Unread > 0, warn)})
	}
	return t.print(out, screen)
}

func expiryName(expired bool) string {
	if expired {
		return "Expired"
	}
	return "Expires"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// maxHeaderRole keeps a long role from filling the header line of a message.
const maxHeaderRole = 30

// showMessage writes one message: a line of bridge's own, the names of files,
// and the text, quoted.
func showMessage(out *bufio.Writer, screen screen, m bridge.Message, o bridge.Overview) {
	from := view.Field(m.From)
	if role := view.SenderRole(m, o); role != "" {
		from += " " + strconv.Quote(cut(view.Field(role), maxHeaderRole))
	}
	facts := []string{"unread"}
	if m.Read {
		facts[0] = "read"
	}
	if len(m.Redacted) > 0 {
		facts = append(facts, "redacted "+view.Field(strings.Join(m.Redacted, " ")))
	}
	title := fmt.Sprintf("#%d %s -> %s, %s, %s, %s", m.Seq, from, view.Field(string(m.To)),
		view.Field(string(m.Action)), formatTime(m.SentAt), strings.Join(facts, ", "))
	_, _ = out.WriteString("\n" + screen.paint(title, bold) + "\n")
	for _, file := range m.Files {
		_, _ = out.WriteString(wrap(view.Quoted(file), "  file ", screen.width))
	}
	_, _ = out.WriteString(wrap(strings.ReplaceAll(bridge.Clean(m.Text), "\t", "    "), "> ", screen.width))
}
