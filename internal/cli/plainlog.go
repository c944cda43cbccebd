package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/cleantext"
)

// Values of --log-format. Automatic means sentences for a person at a terminal, and
// text for a journal or a program.
const (
	logAutomatic = "auto"
	logText      = "text"
	logJSON      = "json"
)

// plainLog writes the log for a person at a terminal: what happened and when, with
// its particulars after it.
//
//	15:09:26 warning: worker silent (conversation conv_28d4, open tasks 2)
type plainLog struct {
	to    io.Writer
	level slog.Level
	width int // in columns; 0: any
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (p *plainLog) Enabled(_ context.Context, level slog.Level) bool { return level >= p.level }

// WithAttrs implements slog.Handler.
func (p *plainLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *p
	with.attrs = slices.Concat(p.attrs, attrs)
	return &with
}

// WithGroup implements slog.Handler. Groups are not used here.
func (p *plainLog) WithGroup(string) slog.Handler { return p }

// Handle implements slog.Handler.
func (p *plainLog) Handle(_ context.Context, r slog.Record) error {
	var facts []string
	failure := ""
	add := func(a slog.Attr) bool {
		switch text := p.value(a.Value, r.Time); {
		case text == "":
		case a.Key == "error":
			failure = ": " + text
		case a.Key == "what" || a.Key == "name":
			facts = append(facts, text)
		default:
			facts = append(facts, strings.ReplaceAll(a.Key, "_", " ")+" "+text)
		}
		return true
	}
	for _, a := range p.attrs {
		add(a)
	}
	r.Attrs(add)
	text := strings.ReplaceAll(r.Message, "_", " ")
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	begin := r.Time.Format(time.TimeOnly) + " " + levelWords[r.Level]
	_, err := io.WriteString(p.to, wrapWords(cleantext.CleanLine(text+failure), begin, "  ", p.width))
	return err
}

// levelWords are the words for the levels.
var levelWords = map[slog.Level]string{slog.LevelWarn: "warning: ", slog.LevelError: "error: "}

func (p *plainLog) value(v slog.Value, now time.Time) string {
	if at, ok := v.Resolve().Any().(time.Time); ok {
		if at.IsZero() {
			return ""
		}
		return screen{width: fallbackWidth}.stamp(at, now)
	}
	return fmt.Sprint(v.Resolve().Any())
}
