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

// Internals that the external tests use.
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
	// ServesSessions exports servesSessions.
	ServesSessions = servesSessions
	IsShell        = isShell
	Wakes          = wakes
)

// NewLossyWriter exports newLossyWriter.
var NewLossyWriter = newLossyWriter

// NewRoot returns the command tree.
func NewRoot() *cobra.Command { return newRootCmd(newApp(os.Stdin, os.Stdout, os.Stderr)) }

// HelpOf returns the help of cmd as printed for a program.
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

// DisplayWidth returns the number of columns that text takes.
func DisplayWidth(text string) int { return displayWidth(text) }

// ParseConfig parses text as a configuration file and returns the error.
func ParseConfig(text string) error {
	file := &configFile{path: "config.toml", values: map[string]fileValue{}}
	if err := file.parse([]byte(text)); err != nil {
		return err
	}
	return file.unknown(map[string]bool{"rate_per_minute": true})
}

// PrintTable prints rows of text under titles. A column whose title ends in "~" may
// shrink; columns whose titles end in a digit are dropped in the order of the digits.
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

// MaxAge is the longest duration that flags accept.
const MaxAge = maxAgeDays * 24 * time.Hour

// AgentOf returns the agent's name if a process with these arguments is an agent.
var AgentOf = agentOf

// HostKind returns the title of the shared host that a process with these arguments is,
// whether its sessions share a server, and whether they are an editor's.
func HostKind(arguments ...string) (title string, oneServer, editor bool) {
	kind, _ := hostKindOf(arguments)
	return kind.title, kind.oneServer, kind.editor
}

// AgentVariable returns the first variable that marks this shell as an agent's.
var AgentVariable = agentVariable

// NewPlainLog returns the log as a person at a terminal of that width sees it.
func NewPlainLog(w io.Writer, level slog.Level, width int) slog.Handler {
	return &plainLog{to: w, level: level, width: width}
}
