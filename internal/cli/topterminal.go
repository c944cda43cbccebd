package cli

import (
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Control sequences of a terminal (ECMA-48, and xterm's private modes).
const (
	// screenBegin switches to the alternate screen, hides the cursor, and disables line
	// wrapping; screenEnd reverts all of that.
	screenBegin = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	screenEnd   = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	// cursorHome, clearLine and clearBelow overwrite the existing content, which avoids
	// flicker.
	cursorHome = "\x1b[H"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
)

const (
	// drawEvery is the interval for updating ages and checking the terminal's size.
	drawEvery = 250 * time.Millisecond
	// fallbackHeight is for terminals that do not report their size.
	fallbackHeight = 24
)

// redrawTop shows w on the terminal until a key is pressed or ctx ends, and then
// restores the screen.
func (a *app) redrawTop(ctx context.Context, w *watched) (err error) {
	restore, err := rawMode(a.stdin)
	if err != nil {
		return err
	}
	_, _ = a.stdout.WriteString(screenBegin)
	defer func() {
		_, _ = a.stdout.WriteString(screenEnd)
		restore()
	}()
	left := keysThatEnd(a.stdin)
	looked := time.Now()
	ticker := time.NewTicker(drawEvery)
	defer ticker.Stop()
	for shown := ""; ; {
		if picture := a.picture(w.top); picture != shown {
			if _, err := a.stdout.WriteString(picture); err != nil {
				return nil // the terminal is gone, and with it its user
			}
			shown = picture
		}
		select {
		case <-ctx.Done():
			return nil
		case <-left:
			return nil
		case <-ticker.C:
		}
		w.At = w.now()
		if time.Since(looked) >= topEvery {
			w.refresh(ctx)
			looked = time.Now()
		}
	}
}

// refresh reads the data again, and records the error if that fails.
func (w *watched) refresh(ctx context.Context) {
	w.fault = ""
	if err := w.read(ctx); err != nil {
		w.fault = err.Error()
	}
}

// picture returns the whole screen as it is written to the terminal.
func (a *app) picture(t top) string {
	height := fallbackHeight
	if _, rows, err := term.GetSize(int(a.stdout.Fd())); err == nil && rows > 0 {
		height = rows
	}
	return cursorHome + strings.Join(topLines(t, a.screen(), height), clearLine+"\r\n") + clearLine + clearBelow
}

// rawMode makes the terminal deliver keys as they are pressed, without echo. It does
// nothing if in is not a terminal.
func rawMode(in *os.File) (restore func(), err error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return func() {}, nil
	}
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(fd, before) }, nil
}

// keysThatEnd returns a channel that is closed when q or Ctrl-C is pressed, which raw
// mode delivers like any other key, or when the terminal is gone.
func keysThatEnd(in *os.File) <-chan struct{} {
	if !term.IsTerminal(int(in.Fd())) {
		return nil // ended by a signal instead
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		keys := make([]byte, 64)
		for {
			n, err := in.Read(keys)
			if err != nil || strings.ContainsAny(string(keys[:n]), "qQ\x03\x04") {
				return
			}
		}
	}()
	return ended
}
