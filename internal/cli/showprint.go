package cli

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// transcriptPrinter prints a conversation for people, or its messages as lines of JSON.
type transcriptPrinter struct {
	app    *app
	screen screen
}

func (p *transcriptPrinter) header(c bridge.Overview) error {
	out := bufio.NewWriter(p.app.stdout)
	writeHeader(out, p.screen, c, p.app.now())
	return out.Flush()
}

func (p *transcriptPrinter) messages(c bridge.Overview, page []numbered) error {
	out := bufio.NewWriter(p.app.stdout)
	encoder := newEncoder(out)
	for _, m := range page {
		if p.app.json {
			if err := encoder.Encode(view.MessageOf(m.Message, c)); err != nil {
				return err
			}
			continue
		}
		writeMessage(out, p.screen, m, c, p.app.now())
	}
	return out.Flush()
}

// joinedAt returns when the first partner joined.
func joinedAt(c bridge.Overview) time.Time {
	b, _ := c.Sessions.Of(bridge.SessionB)
	return b.JoinedAt
}

func writeHeader(out io.Writer, screen screen, c bridge.Overview, now time.Time) {
	for _, line := range []struct{ name, text string }{
		{"Conversation", cleantext.Field(c.ID)},
		{"Team", cleantext.Field(c.Team)},
		{"Created", screen.stamp(c.CreatedAt, now) + " (" + formatAgo(c.CreatedAt, now) + ")"},
		{"Joined", screen.stamp(joinedAt(c), now)},
		{expiryName(c.Expired(now)), screen.stamp(c.ExpiresAt, now) + " (" + formatAgo(c.ExpiresAt, now) + ")"},
		{"End moved", endMoved(c)},
		{"Paused", pausedSince(c, screen, now)},
	} {
		if line.text != "" {
			_, _ = io.WriteString(out, wrap(line.text, fmt.Sprintf("%-14s", line.name+":"), screen.width))
		}
	}
	_, _ = io.WriteString(out, "\n")
	t := &table{columns: []column{
		{title: "SESSION"},
		{title: "ROLE", shrink: true},
		{title: "STATUS"},
		{title: "SEEN"},
		{title: "ALIVE"},
		{title: "RECEIVED", right: true, drop: 1},
		{title: "UNREAD", right: true},
	}}
	for _, s := range c.Sessions {
		heartbeat := "never"
		if age, ok := s.Age(now); ok {
			heartbeat = formatAge(age) + " ago"
		}
		alive := cell{"no", faint}
		if s.Alive(now) {
			alive = cell{"yes", good}
		}
		side := sideStyle(string(s.Session))
		t.add(cell{string(s.Session), side}, cell{cleantext.Field(s.Role), side}, cell{text: orDash(cleantext.Field(string(s.Status)))},
			cell{text: heartbeat}, alive, cell{text: strconv.FormatInt(s.Received, 10)}, unreadCell(s.Unread))
	}
	_ = t.print(out, screen)
}

// pausedSince returns since when a conversation is paused; empty if it is not.
func pausedSince(c bridge.Overview, screen screen, now time.Time) string {
	if c.PausedAt.IsZero() {
		return ""
	}
	return "since " + screen.stamp(c.PausedAt, now) + " (bridge resume ends it)"
}

// endMoved returns what to do about an end that bridge did not set.
func endMoved(c bridge.Overview) string {
	if !c.EndMoved {
		return ""
	}
	return "something other than bridge has changed it, so its sessions are refused: `bridge extend` sets a new one"
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

// strong returns a style in bold.
func strong(s style) style {
	if s == plain {
		return bold
	}
	return bold + ";" + s
}

// maxHeaderRole keeps a long role from filling the header line of a message.
const maxHeaderRole = 30

// writeMessage writes one message under its number: a header line from bridge, the
// names of files, and the quoted text.
func writeMessage(out io.Writer, screen screen, m numbered, c bridge.Overview, now time.Time) {
	from := cleantext.Field(m.From)
	if role := view.SenderRole(m.Message, c); role != "" {
		from += " " + strconv.Quote(cut(cleantext.Field(role), maxHeaderRole))
	}
	side := sideStyle(m.From)
	title := fmt.Sprintf("#%d %s -> %s, %s, %s, ", m.n, from, cleantext.Field(m.To.String()), cleantext.Field(string(m.Action)), screen.stamp(m.SentAt, now))
	state := cell{"unread", standout}
	switch {
	case m.Read:
		state = cell{"read", faint}
	case screen.width > 0: // it is marked, so that it stands out without colours
		state.text = "UNREAD"
	}
	header := []cell{{title, strong(side)}, state}
	if m.answers > 0 {
		header = append(header, cell{text: fmt.Sprintf(", answers #%d", m.answers)})
	}
	if len(m.Redacted) > 0 {
		header = append(header, cell{", redacted " + cleantext.Field(strings.Join(m.Redacted, " ")), warn})
	}
	_, _ = io.WriteString(out, "\n"+screen.header(header, strong(side)))
	for _, file := range m.Files {
		_, _ = io.WriteString(out, wrap(cleantext.Quoted(file), "  file ", screen.width))
	}
	text := wrap(strings.ReplaceAll(cleantext.Clean(m.Text), "\t", "    "), "> ", screen.width)
	if screen.colour && side != plain {
		text = strings.ReplaceAll("\n"+strings.TrimSuffix(text, "\n"), "\n> ", "\n"+screen.paint("> ", side))[1:] + "\n"
	}
	_, _ = io.WriteString(out, text)
}

// header writes the line above a message. If it does not fit it is continued on further
// lines in the same style, because otherwise the terminal would begin the next line
// with an agent's words.
func (s screen) header(parts []cell, how style) string {
	var plain, painted strings.Builder
	for _, part := range parts {
		plain.WriteString(part.text)
		painted.WriteString(s.paint(part.text, part.style))
	}
	if s.width == 0 || displayWidth(plain.String()) <= s.width {
		return painted.String() + "\n"
	}
	painted.Reset()
	for line := range strings.Lines(wrapWords(plain.String(), "", "    ", s.width)) {
		painted.WriteString(s.paint(strings.TrimSuffix(line, "\n"), how) + "\n")
	}
	return painted.String()
}
