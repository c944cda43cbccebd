package cli

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// document is a conversation to export.
type document struct {
	ID, Team          string
	Created, Exported string
	Sessions          []documentSession
	// Messages yields the messages one by one to the template, because they may not fit
	// into memory.
	Messages iter.Seq[documentMessage]
	overview bridge.Overview
}

type documentSession struct{ ID, Role string }

type documentMessage struct {
	N, Answers                   int64
	From, Role, To, Action, Sent string
	Redacted, Text               string
	Files                        []string
}

func newDocument(c bridge.Overview, now time.Time) document {
	sessions := make([]documentSession, len(c.Sessions))
	for i, s := range c.Sessions {
		sessions[i] = documentSession{string(s.Session), cleantext.Field(s.Role)}
	}
	return document{
		ID: cleantext.Field(c.ID), Team: cleantext.Field(c.Team), Created: formatTime(c.CreatedAt), Exported: formatTime(now),
		Sessions: sessions,
		overview: c,
	}
}

func (d document) message(m numbered) documentMessage {
	return documentMessage{
		N: m.n, Answers: m.answers, From: cleantext.Field(m.From), Role: cleantext.Field(view.SenderRole(m.Message, d.overview)), To: cleantext.Field(m.To.String()),
		Action: cleantext.Field(string(m.Action)), Sent: formatTime(m.SentAt), Redacted: cleantext.Field(strings.Join(m.Redacted, ", ")),
		Text: cleantext.Clean(m.Text), Files: view.Kinds(m.Files),
	}
}

//go:embed export.html
var exportPage string

// writeHTML writes one page that loads and runs nothing. html/template escapes agents'
// text.
func writeHTML(ctx context.Context, w io.Writer, d document, messages *transcript) error {
	page, err := template.New("export").Parse(exportPage)
	if err != nil {
		return err
	}
	var failed error
	d.Messages = func(yield func(documentMessage) bool) {
		failed = messages.eachMessage(ctx, func(m numbered) error {
			if !yield(d.message(m)) {
				return errStopped
			}
			return nil
		})
	}
	err = page.Execute(w, d)
	if errors.Is(failed, errStopped) {
		failed = nil
	}
	return errors.Join(err, failed)
}

// errStopped stops the reading of messages when no more are needed.
var errStopped = errors.New("stopped")

func (d document) writeMarkdown(out *bufio.Writer) {
	_, _ = fmt.Fprintf(out, "# Conversation %s\n\n", d.ID)
	if d.Team != "" {
		_, _ = fmt.Fprintf(out, "- team: %s\n", code(d.Team))
	}
	for _, s := range d.Sessions {
		_, _ = fmt.Fprintf(out, "- session %s: %s\n", s.ID, code(s.Role))
	}
	_, _ = fmt.Fprintf(out, "- created %s, exported %s\n", d.Created, d.Exported)
}

// writeMarkdown writes one message. It returns the first error of any write to out.
func writeMarkdown(out *bufio.Writer, m documentMessage) error {
	_, _ = fmt.Fprintf(out, "\n## %d. %s to %s: %s\n\n%s", m.N, m.From, m.To, m.Action, m.Sent)
	if m.Answers > 0 {
		_, _ = fmt.Fprintf(out, ", answers %d", m.Answers)
	}
	if m.Redacted != "" {
		_, _ = fmt.Fprintf(out, ", redacted: %s", m.Redacted)
	}
	_, _ = out.WriteString("\n\n")
	for _, file := range m.Files {
		_, _ = fmt.Fprintf(out, "- file %s\n", code(cleantext.Field(file)))
	}
	if len(m.Files) > 0 {
		_ = out.WriteByte('\n')
	}
	fence := fenceFor(m.Text)
	_, err := fmt.Fprintf(out, "%stext\n%s\n%s\n", fence, m.Text, fence)
	return err
}

// code returns text as a code span that its content cannot end (CommonMark, section
// 6.1).
func code(text string) string {
	ticks := strings.Repeat("`", longestRun(text)+1)
	return ticks + " " + text + " " + ticks
}

// fenceFor returns a code fence that does not occur in text (CommonMark, section 4.5).
func fenceFor(text string) string { return strings.Repeat("`", max(longestRun(text)+1, 3)) }

// longestRun returns the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		run++
		if r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
