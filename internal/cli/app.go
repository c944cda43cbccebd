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

// app holds what commands share: the streams, the clock, the environment and the
// configuration. Nothing is opened until a command asks for it.
type app struct {
	stdin          *os.File
	stdout, stderr *os.File
	now            func() time.Time
	environ        func() []string
	lookupEnv      func(string) (string, bool)
	// typed are the arguments of the process.
	typed []string
	// dropped are the variables that host, a client's shared process, passed on and
	// that are therefore ignored.
	dropped []string
	host    sharedHost
	// shared is the name of the process if all its sessions use this server; otherwise
	// empty.
	shared string

	// fixed is the screen when a pager is used, because its pipe is not a terminal.
	fixed *screen

	connection connection

	globals
	file    *configFile
	origins map[*pflag.Flag]origin
	// configErr is the error in the configuration, for commands that run anyway.
	configErr error
	// unattended reports whether other programs start the command.
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

// env returns an environment variable. An empty one counts as not set.
func (a *app) env(name string) string {
	text, _ := a.lookupEnv(name)
	return text
}

// log returns the logger, which writes to standard error because standard output may
// carry a protocol.
func (a *app) log() *slog.Logger { return a.logTo(a.stderr) }

func (a *app) logTo(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(a.logLevel)) // the flag accepts known levels only
	options := &slog.HandlerOptions{Level: level}
	if a.logFormat == logJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	if width, ok := a.errorWidth(); a.logFormat == logAutomatic && ok {
		return slog.New(&plainLog{to: w, level: level, width: width})
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// errorWidth returns the width of standard error in columns, 0 if it is not known; ok
// is false if it is not a terminal.
func (a *app) errorWidth() (width int, ok bool) {
	width, _, err := term.GetSize(int(a.stderr.Fd()))
	return width, err == nil
}

// limits returns the configured rate limits.
func (a *app) limits() bridge.Limits {
	limits := bridge.DefaultLimits()
	limits.Writes, limits.Reads, limits.Creates = a.rates, a.readRates, a.creates
	return limits
}

// screen describes where the output goes.
type screen struct {
	// width in columns; 0 if output is not cut, because a program reads it
	width  int
	colour bool
}

// fallbackWidth is used for terminals that do not report their size.
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

// newEncoder returns an encoder that does not escape "<" and "&", because its output is
// never put into a web page.
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

// withStore opens the existing store and calls fn with a service on it.
func (a *app) withStore(ctx context.Context, fn func(*bridge.Service) error) error {
	return a.withService(ctx, false, fn)
}

// withTasks is withStore for tasks and workers.
func (a *app) withTasks(ctx context.Context, fn func(services) error) error {
	return a.withServices(ctx, false, fn)
}

// withCommands is withStore for the command guard.
func (a *app) withCommands(ctx context.Context, fn func(services) error) error {
	return a.withServices(ctx, false, fn)
}
