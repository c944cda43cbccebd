package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// auditPrinter prints entries one at a time, because a log may not fit into memory.
type auditPrinter interface {
	entry(audit.Entry) error
	// flush writes out what was printed so far; end finishes the output.
	flush() error
	end() error
}

func newAuditPrinter(a *app, o auditOptions, all []bridge.Overview) auditPrinter {
	out := bufio.NewWriter(a.stdout)
	switch o.format {
	case formatJSON:
		return &jsonPrinter{newJSONList(a.stdout, "entries")}
	case formatJSONL:
		return &jsonlPrinter{out: out, encoder: newEncoder(out)}
	}
	screen := a.screen()
	none := "There are no entries."
	if o.conversation != "" || o.filter.set() {
		none = "No entries match."
	}
	return &tablePrinter{out: out, screen: screen, now: a.now, id: screen.shortID(all), none: none}
}

// tablePrinter prints rows with fixed column widths, so that each row can be printed
// before the next one is known. If the terminal is too narrow for a column of details,
// they are printed below their entry.
type tablePrinter struct {
	out    *bufio.Writer
	screen screen
	now    func() time.Time
	id     func(string) string
	begun  bool
	none   string // printed if there is no entry
}

// Widths of the columns: full times and IDs for programs, short ones for people.
const (
	auditWide   = "%6s  %-25s  %-21s  %-8s  %-22s  %-12s"
	auditNarrow = "%6s  %-12s  %-12s  %-8s  %-20s  %-12s"
	// auditTiny is for screens narrower than auditWidth. The outcome is never cut off.
	auditTiny  = "%6s  %-12s  %-8s  %-12s  %s"
	auditWidth = 80
	// Details are put into a column after auditNarrow if at least auditDetails columns
	// are left.
	auditDetails = 30
)

func (p *tablePrinter) entry(e audit.Entry) error {
	if !p.begun {
		p.begun = true
		p.row("ENTRY", "TIME", "CONVERSATION", "SESSION", "ACTION", "OUTCOME", "DETAILS", bold)
	}
	how := plain
	if e.Outcome != "ok" {
		how = bad
	}
	p.row(strconv.FormatInt(e.Seq, 10), p.screen.stamp(e.Time, p.now()), orDash(p.id(e.Conversation)), orDash(cleantext.Field(e.Session)),
		cleantext.Field(e.Action), cleantext.Field(e.Outcome), view.Details(e.Details), how)
	return nil
}

func (p *tablePrinter) row(seq, at, conversation, session, action, outcome, details string, how style) {
	width := p.screen.width
	var line string
	switch {
	case width == 0:
		_, _ = fmt.Fprintf(p.out, auditWide+"  %s\n", seq, at, conversation, session, action, outcome, details)
		return
	case width < auditWidth:
		line = cut(fmt.Sprintf(auditTiny, seq, at, session, outcome, action), width)
		details = strings.TrimSpace("conversation=" + conversation + " " + details)
	default:
		line = fmt.Sprintf(auditNarrow, seq, at, conversation, session, action, outcome)
		if begin := displayWidth(line) + len(columnGap); width-begin >= auditDetails {
			first, rest, _ := strings.Cut(wrap(details, strings.Repeat(" ", begin), width), "\n")
			line += columnGap + strings.TrimLeft(first, " ")
			p.painted(strings.TrimRight(line, " ")+"\n", how)
			p.painted(rest, how)
			return
		}
		line = strings.TrimRight(line, " ")
	}
	p.painted(line+"\n", how)
	if how != bold && details != "" { // the header needs none
		p.painted(wrap(details, belowIndent, width), faint)
	}
}

// painted writes each line in a style.
func (p *tablePrinter) painted(lines string, how style) {
	for line := range strings.Lines(lines) {
		_, _ = p.out.WriteString(p.screen.paint(strings.TrimSuffix(line, "\n"), how) + "\n")
	}
}

func (p *tablePrinter) flush() error { return p.out.Flush() }

func (p *tablePrinter) end() error {
	if !p.begun {
		_, _ = p.out.WriteString(p.none + "\n")
	}
	return p.flush()
}

// jsonlPrinter prints one JSON object per line.
type jsonlPrinter struct {
	out     *bufio.Writer
	encoder *json.Encoder
}

func (p *jsonlPrinter) entry(e audit.Entry) error { return p.encoder.Encode(view.OfEntry(e)) }
func (p *jsonlPrinter) flush() error              { return p.out.Flush() }
func (p *jsonlPrinter) end() error                { return p.out.Flush() }

// jsonPrinter prints all entries as one JSON document.
type jsonPrinter struct{ list *jsonList }

func (p *jsonPrinter) entry(e audit.Entry) error { return p.list.add(view.OfEntry(e)) }
func (p *jsonPrinter) flush() error              { return p.list.flush() }
func (p *jsonPrinter) end() error                { return p.list.end() }
