package cli

import (
	"bufio"
	"encoding/json"
	"fmt"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/view"
)

// auditPrinter prints entries one at a time: a log may be longer than memory.
type auditPrinter interface {
	entry(audit.Entry) error
	// flush shows what was printed so far, end what closes the output.
	flush() error
	end() error
}

func newAuditPrinter(a *app, o auditOptions) auditPrinter {
	out := bufio.NewWriter(a.stdout)
	switch o.format {
	case formatJSON:
		return &jsonPrinter{newJSONList(a.stdout, "entries")}
	case formatJSONL:
		return &jsonlPrinter{out: out, encoder: newEncoder(out)}
	}
	return &tablePrinter{out: out, screen: a.screen()}
}

// tablePrinter prints rows with columns of fixed width, so that a row can be
// printed before the next one is known.
type tablePrinter struct {
	out    *bufio.Writer
	screen screen
	begun  bool
}

const auditRow = "%6d  %-25s  %-21s  %-8s  %-22s  %-12s  %s"

func (p *tablePrinter) entry(e audit.Entry) error {
	if !p.begun {
		p.begun = true
		p.line(fmt.Sprintf("%6s  %-25s  %-21s  %-8s  %-22s  %-12s  %s",
			"ENTRY", "TIME", "CONVERSATION", "SESSION", "ACTION", "OUTCOME", "DETAILS"), bold)
	}
	how := plain
	if e.Outcome != "ok" {
		how = bad
	}
	p.line(fmt.Sprintf(auditRow, e.Seq, formatTime(e.Time), orDash(view.Field(e.Conversation)), orDash(view.Field(e.Session)),
		view.Field(e.Action), view.Field(e.Outcome), view.Details(e.Details)), how)
	return nil
}

func (p *tablePrinter) line(text string, how style) {
	if p.screen.width > 0 {
		text = cut(text, p.screen.width)
	}
	_, _ = p.out.WriteString(p.screen.paint(text, how) + "\n")
}

func (p *tablePrinter) flush() error { return p.out.Flush() }

func (p *tablePrinter) end() error {
	if !p.begun {
		p.line("There are no entries.", plain)
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
