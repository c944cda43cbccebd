package cli

import (
	"fmt"
	"io"

	"golang.org/x/term"

	"example.org/bridge/internal/cleantext"
)

// progressLine is a line on a terminal that shows the progress of a command. It is
// overwritten repeatedly and removed at the end. If standard error is not a terminal it
// writes nothing.
type progressLine struct {
	out   io.Writer // nil if there is none
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
	return &progressLine{a.stderr, width - 1} // writing in the last column would move to the next line
}

// show overwrites the line.
func (p *progressLine) show(format string, args ...any) {
	if p.out != nil {
		_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", cut(cleantext.CleanLine(fmt.Sprintf(format, args...)), p.width))
	}
}

// clear removes the line before something else is written.
func (p *progressLine) clear() {
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
