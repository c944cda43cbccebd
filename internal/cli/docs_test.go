package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"example.org/bridge/internal/cli"
)

var update = flag.Bool("update", false, "write generated files again")

// TestDocs checks that docs/cli.md matches the help of the commands.
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "cli.md")
	want := renderDocs(cli.NewRoot())
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/cli.md is stale; run: go test ./internal/cli -run TestDocs -update\n%s", diff)
	}
}

func renderDocs(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command line\n\n" +
		"Generated from the commands; do not edit. `go test ./internal/cli -run TestDocs -update` writes it.\n\n")
	b.WriteString("## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, e := range cli.ExitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", e.Code, e.Meaning)
	}
	b.WriteString(`
Errors go to standard error as one line, ` + "`bridge: what was wrong: what to do next`" + `.

## Settings

A flag overrides the environment, which overrides the configuration file, which overrides
the default. An empty variable counts as not set. Only global flags, the limits of a new
store, and settings of programs that run unattended can be set outside the command line.
All other flags must be given in each call.

`)
	writeSettings(&b, root)
	b.WriteString(configurationDocs)
	writeCommandList(&b, root)
	for _, cmd := range byName(root) {
		cmd.InheritedFlags() // adds them to those of cmd, as parsing a command line does
		writeCommand(&b, cmd)
	}
	return b.String()
}

// TestCommandsAreMadeTogether makes the tree of commands several times at once, as `bridge
// access serve` does for clients that ask at the same time. The race detector watches.
func TestCommandsAreMadeTogether(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			claims, _, err := cli.NewRoot().Find([]string{"claims"})
			if err != nil {
				t.Error(err)
				return
			}
			var names []string
			for _, cmd := range claims.Commands() {
				names = append(names, cmd.Name())
			}
			if !slices.Equal(names, []string{"list", "check", "release"}) {
				t.Errorf("the commands of claims are in the order %v", names)
			}
		})
	}
	all.Wait()
}

// byName returns all commands in the order of a reference, and not in the help's.
func byName(root *cobra.Command) []*cobra.Command {
	return slices.SortedFunc(slices.Values(cli.AllCommands(root)), func(a, b *cobra.Command) int {
		return strings.Compare(a.CommandPath(), b.CommandPath())
	})
}

const configurationDocs = `
Some variables have no flag, because other users can read a command line: ` + "`BRIDGE_CONVERSATION_ID`,\n" +
	"`BRIDGE_SESSION_ID` and `BRIDGE_TOKEN` bind `bridge serve` to one session (set all three or none), and\n" +
	"`BRIDGE_WATCHDOG_WEBHOOK_SECRET` is the key with which `bridge fleet watchdog` signs its posts." + `

### The configuration file

TOML, at ` + "`bridge/config.toml`" + ` in the XDG configuration folder, or the file named by --config or
BRIDGE_CONFIG. An unknown key is an error that names it and its line.

` + "```toml" + `
rate_per_minute = 100
rate_per_hour   = 500
rate_per_day    = 2000

redact_exceptions = ["correct-horse-battery-staple"] # never redacted

[watchdog]
silent_after = "3m"
exec         = "/usr/local/bin/alert"

[[redact]] # your own rule, checked against its examples at every start
name            = "ticket"
pattern         = 'TICKET-[0-9]{8}'
example         = "TICKET-12345678"
counter_example = "TICKET-1"
` + "```" + `
`

func writeSettings(b *strings.Builder, root *cobra.Command) {
	b.WriteString("| flag | variable | key in the file | default | meaning |\n|---|---|---|---|---|\n")
	for _, cmd := range byName(root) {
		for _, f := range cli.OwnSettings(cmd) {
			name, key, fallback := "--"+f.Name, cli.ConfigKey(f), ""
			if cmd != root {
				name = strings.TrimPrefix(cmd.CommandPath(), "bridge ") + " " + name
			}
			if key != "" {
				key = "`" + key + "`"
			}
			if f.DefValue != "" {
				fallback = "`" + f.DefValue + "`"
			}
			fmt.Fprintf(b, "| `%s` | `%s` | %s | %s | %s |\n", name, cli.EnvName(f), key, fallback, f.Usage)
		}
	}
}

// docsWidth is the line width of docs/cli.md.
const docsWidth = 88

func writeCommandList(b *strings.Builder, root *cobra.Command) {
	b.WriteString("\n## Commands\n\n| command | what it is for |\n|---|---|\n")
	for _, cmd := range byName(root)[1:] {
		if !cmd.Hidden && !cmd.HasSubCommands() || cmd.Name() == "audit" {
			name := strings.TrimPrefix(cmd.CommandPath(), "bridge ")
			fmt.Fprintf(b, "| [`%s`](#bridge-%s) | %s |\n", name, strings.ReplaceAll(name, " ", "-"), cmd.Short)
		}
	}
}

func writeCommand(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", cmd.CommandPath(), cmd.Short)
	fmt.Fprintf(b, "```\n%s\n```\n\n", cmd.UseLine())
	fmt.Fprintf(b, "%s\nExample:\n\n```sh\n%s\n```\n", fenceLists(cli.Reflow(cmd.Long, docsWidth)), unindent(cmd.Example))
	flags := ""
	if cmd.HasParent() {
		flags = cmd.LocalFlags().FlagUsages()
	}
	if flags != "" {
		fmt.Fprintf(b, "\nFlags:\n\n```\n%s```\n", flags)
	}
}

// fenceLists puts lists in a help text into code blocks, because Markdown would join
// their lines.
func fenceLists(help string) string {
	var b strings.Builder
	inList := false
	for line := range strings.Lines(help) {
		switch list := strings.HasPrefix(line, " "); {
		case list && !inList:
			b.WriteString("\n```\n")
			inList = true
		case !list && inList:
			b.WriteString("```\n")
			inList = false
		}
		b.WriteString(line)
	}
	if inList {
		b.WriteString("```\n")
	}
	return b.String()
}

func unindent(example string) string {
	lines := strings.Split(example, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

// TestReflow checks that prose is rewrapped and that lines of a list are not.
func TestReflow(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"prose":                {"one two\nthree four", "one two three\nfour\n"},
		"two paragraphs":       {"one\ntwo\n\nthree", "one two\n\nthree\n"},
		"a list":               {"  a  one two three four\n  b  two", "  a  one two three four\n  b  two\n"},
		"a list within a text": {"one\ntwo:\n  a  one two three\n  b  two\nthree\nfour", "one two:\n  a  one two three\n  b  two\nthree four\n"},
	} {
		if got := cli.Reflow(c.text, 14); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
