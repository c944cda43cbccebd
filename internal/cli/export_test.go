package cli

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
)

// What the tests look at from outside.
var (
	ExitCodes   = advice.Exits
	AllCommands = allCommands
	OwnSettings = ownSettings
	EnvName     = envName
	ConfigKey   = configKey
	ParseAge    = parseAge
	FormatAge   = formatAge
	Wrap        = wrap
	Reflow      = reflow
	Cut         = cut
	Explain     = explain
	// ServesSessions is on how clients' processes are told apart.
	ServesSessions = servesSessions
	IsShell        = isShell
	Wakes          = wakes
)

// NewLossyWriter is for a log that nobody may read.
var NewLossyWriter = newLossyWriter

// NewRoot returns the command tree.
func NewRoot() *cobra.Command { return newRootCmd(newApp(os.Stdin, os.Stdout, os.Stderr)) }

// HelpOf returns the help of cmd, as a program reads it.
func HelpOf(t *testing.T, cmd *cobra.Command) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "help")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(os.Stdin, file, os.Stderr)
	a.printHelp(cmd)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// DisplayWidth is the number of columns that text takes.
func DisplayWidth(text string) int { return displayWidth(text) }

// ParseConfig reads text as a configuration file, and returns the error.
func ParseConfig(text string) error {
	file := &configFile{path: "config.toml", values: map[string]fileValue{}}
	if err := file.parse([]byte(text)); err != nil {
		return err
	}
	return file.unknown(map[string]bool{"rate_per_minute": true})
}

// PrintTable prints rows of text under titles; a title that ends in "~" may
// shrink, one that ends in a digit is dropped in that order.
func PrintTable(w io.Writer, width int, titles []string, rows ...[]string) error {
	t := &table{}
	for _, title := range titles {
		c := column{title: strings.TrimRight(title, "~123456789")}
		c.shrink = strings.HasSuffix(title, "~")
		if last := title[len(title)-1]; last >= '1' && last <= '9' {
			c.drop = int(last - '0')
		}
		t.columns = append(t.columns, c)
	}
	for _, row := range rows {
		cells := make([]cell, len(row))
		for i, text := range row {
			cells[i].text = text
		}
		t.add(cells...)
	}
	return t.print(w, screen{width: width})
}

// MaxAge is the longest length of time that flags take.
const MaxAge = maxAgeDays * 24 * time.Hour

// AgentOf tells whether a process with these arguments is an agent's.
var AgentOf = agentOf

// HostKind is the title of the shared host that a process with these arguments is,
// whether its sessions share a server, and whether they are an editor's.
func HostKind(arguments ...string) (title string, oneServer, editor bool) {
	kind, _ := hostKindOf(arguments)
	return kind.title, kind.oneServer, kind.editor
}

// AgentVariable is the first variable that says that this is an agent's shell.
var AgentVariable = agentVariable

// NewPlainLog is the log that a person at a terminal of that width sees.
func NewPlainLog(w io.Writer, level slog.Level, width int) slog.Handler {
	return &plainLog{to: w, level: level, width: width}
}
