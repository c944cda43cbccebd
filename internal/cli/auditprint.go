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

// auditPrinter prints entries one at a time: a log may be longer than memory.
type auditPrinter interface {
	entry(audit.Entry) error
	// flush shows what was printed so far, end what closes the output.
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
		none = "There are no such entries."
	}
	return &tablePrinter{out: out, screen: screen, now: a.now, id: screen.shortID(all), none: none}
}

// tablePrinter prints rows with columns of fixed width, so that a row can be
// printed before the next one is known. On a terminal that is too narrow for a
// column of details they stand below their entry.
type tablePrinter struct {
	out    *bufio.Writer
	screen screen
	now    func() time.Time
	id     func(string) string
	begun  bool
	none   string // is printed where there is no entry
}

// Widths of the columns: for programs, whole times and ids; for people, short ones.
const (
	auditWide   = "%6s  %-25s  %-21s  %-8s  %-22s  %-12s"
	auditNarrow = "%6s  %-12s  %-12s  %-8s  %-20s  %-12s"
	// auditTiny is for screens narrower than auditWidth: an outcome is never cut off.
	auditTiny  = "%6s  %-12s  %-8s  %-12s  %s"
	auditWidth = 80
	// Behind auditNarrow there is room for details where it leaves auditDetails columns.
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
	if how != bold && details != "" { // a title needs none
		p.painted(wrap(details, belowIndent, width), faint)
	}
}

// painted writes lines, each in a style.
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

// jsonlPrinter prints one object a line.
type jsonlPrinter struct {
	out     *bufio.Writer
	encoder *json.Encoder
}

func (p *jsonlPrinter) entry(e audit.Entry) error { return p.encoder.Encode(view.OfEntry(e)) }
func (p *jsonlPrinter) flush() error              { return p.out.Flush() }
func (p *jsonlPrinter) end() error                { return p.out.Flush() }

// jsonPrinter prints one document with all entries.
type jsonPrinter struct{ list *jsonList }

func (p *jsonPrinter) entry(e audit.Entry) error { return p.list.add(view.OfEntry(e)) }
func (p *jsonPrinter) flush() error              { return p.list.flush() }
func (p *jsonPrinter) end() error                { return p.list.end() }
