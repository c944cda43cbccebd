package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"example.org/bridge/internal/bridge"
)

// app is what commands share: the streams, the clock, the environment and the
// configuration. Nothing is opened before a command asks for it.
type app struct {
	stdin          *os.File
	stdout, stderr *os.File
	now            func() time.Time
	environ        func() []string
	lookupEnv      func(string) (string, bool)
	// typed are the process's arguments.
	typed []string
	// dropped are the variables that host, a client's shared process, handed on and
	// that are not used.
	dropped []string
	host    sharedHost
	// shared is the process whose sessions all call this one; empty for none.
	shared string

	// fixed is the screen behind a pager, whose pipe is not a terminal.
	fixed *screen

	connection connection

	globals
	file    *configFile
	origins map[*pflag.Flag]origin
	// configErr is what is wrong with the configuration, for commands that run
	// anyway.
	configErr error
	// unattended reports a command that other programs start.
	unattended bool
}

func newApp(stdin, stdout, stderr *os.File) *app {
	limits := bridge.DefaultLimits()
	return &app{
		stdin:     stdin,
		stdout:    stdout,
		stderr:    stderr,
		now:       time.Now,
		environ:   os.Environ,
		lookupEnv: os.LookupEnv,
		globals: globals{
			logLevel:  "info",
			logFormat: logAutomatic,
			rates:     limits.Writes,
			readRates: limits.Reads,
			creates:   limits.Creates,
		},
		file:    &configFile{},
		origins: map[*pflag.Flag]origin{},
	}
}

// env returns an environment variable; one that is empty counts as not set.
func (a *app) env(name string) string {
	text, _ := a.lookupEnv(name)
	return text
}

// log returns the logger to standard error. Standard output may carry protocol.
func (a *app) log() *slog.Logger { return a.logTo(a.stderr) }

func (a *app) logTo(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(a.logLevel)) // the flag takes known levels only
	options := &slog.HandlerOptions{Level: level}
	if a.logFormat == logJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	if width, ok := a.errorWidth(); a.logFormat == logAutomatic && ok {
		return slog.New(&plainLog{to: w, level: level, width: width})
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// errorWidth is how many columns standard error has, 0 if that is not told; ok is
// false where it is not a terminal.
func (a *app) errorWidth() (width int, ok bool) {
	width, _, err := term.GetSize(int(a.stderr.Fd()))
	return width, err == nil
}

// limits are the rate limits as configured.
func (a *app) limits() bridge.Limits {
	limits := bridge.DefaultLimits()
	limits.Writes, limits.Reads, limits.Creates = a.rates, a.readRates, a.creates
	return limits
}

// screen is what is known of where the output goes.
type screen struct {
	// width in columns; 0 where output is not cut, because a program reads it.
	width  int
	colour bool
}

// fallbackWidth is for terminals that do not tell their size.
const fallbackWidth = 80

func (a *app) screen() screen {
	if a.fixed != nil {
		return *a.fixed
	}
	fd := int(a.stdout.Fd())
	if !term.IsTerminal(fd) {
		return screen{}
	}
	width, _, err := term.GetSize(fd)
	if err != nil || width <= 0 {
		width = fallbackWidth
	}
	if columns, err := strconv.Atoi(a.env("COLUMNS")); err == nil && columns > 0 {
		width = columns
	}
	return screen{width: width, colour: coloursWork && a.env("NO_COLOR") == "" && a.env("TERM") != "dumb"}
}

// printJSON writes one indented JSON document.
func (a *app) printJSON(v any) error {
	encoder := newEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// newEncoder writes "<" and "&" as they are: nobody puts this into a web page.
func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder
}

// marshal is json.Marshal without its escapes for web pages.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	err := newEncoder(&out).Encode(v)
	return bytes.TrimRight(out.Bytes(), "\n"), err
}

// withStore opens the store that there is and calls fn with a service on it.
func (a *app) withStore(ctx context.Context, fn func(*bridge.Service) error) error {
	return a.withService(ctx, false, fn)
}

// withTasks is withStore for what concerns tasks and workers.
func (a *app) withTasks(ctx context.Context, fn func(services) error) error {
	return a.withServices(ctx, false, fn)
}

// withCommands is withStore for what concerns commands.
func (a *app) withCommands(ctx context.Context, fn func(services) error) error {
	return a.withServices(ctx, false, fn)
}
