package cli

import (
	"fmt"
	"io"

	"golang.org/x/term"

	"example.org/bridge/internal/cleantext"
)

// progressLine is one line at a terminal that says how far a command is. It is written
// over and over, and nothing of it stays. Where standard error is not a terminal it writes
// nothing.
type progressLine struct {
	out   io.Writer // nil for none
	width int
}

func (a *app) progress() *progressLine {
	fd := int(a.stderr.Fd())
	if !term.IsTerminal(fd) || a.env("TERM") == "dumb" {
		return &progressLine{}
	}
	width, _, err := term.GetSize(fd)
	if err != nil || width <= 1 {
		width = fallbackWidth
	}
	return &progressLine{a.stderr, width - 1} // in the last column a terminal would go to the next line
}

// show writes the line again.
func (p *progressLine) show(format string, args ...any) {
	if p.out != nil {
		_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", cut(cleantext.CleanLine(fmt.Sprintf(format, args...)), p.width))
	}
}

// clear takes the line away, before something else is written.
func (p *progressLine) clear() {
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
