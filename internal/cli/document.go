package cli

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// document is a conversation for an export.
type document struct {
	ID, Team          string
	Created, Exported string
	Sessions          []documentSession
	Messages          []documentMessage
}

type documentSession struct{ ID, Role string }

type documentMessage struct {
	N                            int64
	From, Role, To, Action, Sent string
	Redacted, Text               string
	Files                        []string
}

func newDocument(c bridge.Overview, messages []numbered, now time.Time) document {
	d := document{
		ID: cleantext.Field(c.ID), Team: cleantext.Field(c.Team), Created: formatTime(c.CreatedAt), Exported: formatTime(now),
		Sessions: []documentSession{{string(bridge.SessionA), cleantext.Field(c.RoleA)}, {string(bridge.SessionB), cleantext.Field(c.RoleB)}},
	}
	for _, m := range messages {
		d.Messages = append(d.Messages, documentMessage{
			N: m.n, From: cleantext.Field(m.From), Role: cleantext.Field(view.SenderRole(m.Message, c)), To: cleantext.Field(string(m.To)),
			Action: cleantext.Field(string(m.Action)), Sent: formatTime(m.SentAt), Redacted: cleantext.Field(strings.Join(m.Redacted, ", ")),
			Text: cleantext.Clean(m.Text), Files: view.Kinds(m.Files),
		})
	}
	return d
}

//go:embed export.html
var exportPage string

// writeHTML writes one page that loads and runs nothing; html/template escapes what
// agents wrote.
func writeHTML(w io.Writer, d document) error {
	page, err := template.New("export").Parse(exportPage)
	if err != nil {
		return err
	}
	return page.Execute(w, d)
}

func writeMarkdown(out *bufio.Writer, d document) {
	_, _ = fmt.Fprintf(out, "# Conversation %s\n\n", d.ID)
	if d.Team != "" {
		_, _ = fmt.Fprintf(out, "- team: %s\n", code(d.Team))
	}
	for _, s := range d.Sessions {
		_, _ = fmt.Fprintf(out, "- session %s: %s\n", s.ID, code(s.Role))
	}
	_, _ = fmt.Fprintf(out, "- created %s, exported %s\n", d.Created, d.Exported)
	for _, m := range d.Messages {
		_, _ = fmt.Fprintf(out, "\n## %d. %s to %s: %s\n\n%s", m.N, m.From, m.To, m.Action, m.Sent)
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
		_, _ = fmt.Fprintf(out, "%stext\n%s\n%s\n", fence, m.Text, fence)
	}
}

// code is a code span that text cannot leave (CommonMark, section 6.1).
func code(text string) string {
	ticks := strings.Repeat("`", longestRun(text)+1)
	return ticks + " " + text + " " + ticks
}

// fenceFor is a code fence that text cannot end (CommonMark, section 4.5).
func fenceFor(text string) string { return strings.Repeat("`", max(longestRun(text)+1, 3)) }

// longestRun is the length of the longest run of backticks.
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
