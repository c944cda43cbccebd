package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/advice"
)

// helpWidth is the width of help for programs, maxHelpWidth that on a wide screen,
// because longer lines are hard to read.
const (
	helpWidth    = 80
	maxHelpWidth = 100
)

// annotationParent marks commands that only contain other commands.
const annotationParent = "parent"

// printHelp prints the help of bridge or of one command.
func (a *app) printHelp(cmd *cobra.Command) {
	screen := a.screen()
	if screen.width == 0 {
		screen.width = helpWidth
	}
	screen.width = min(screen.width, maxHelpWidth)
	out := bufio.NewWriter(a.stdout)
	writeHelp(out, screen, cmd)
	_ = out.Flush()
}

func writeHelp(out *bufio.Writer, screen screen, cmd *cobra.Command) {
	h := &helpPrinter{out: out, screen: screen}
	h.paragraphs(cmd.Long)
	h.section("Usage")
	h.lines("  " + cmd.UseLine())
	if cmd.HasParent() {
		h.command(cmd)
	} else {
		h.root(cmd)
	}
}

// helpPrinter writes help that fits the screen.
type helpPrinter struct {
	out    *bufio.Writer
	screen screen
}

func (h *helpPrinter) command(cmd *cobra.Command) {
	if rows := commandRows(cmd); len(rows) > 0 {
		h.section("Commands")
		h.rows(rows)
	}
	if rows := ownFlagRows(cmd); len(rows) > 0 {
		h.section("Flags")
		h.rows(rows)
	}
	if makesStores(cmd) {
		h.section("Limits of a new store")
		h.rows(limitRows(cmd.Root().PersistentFlags()))
	}
	h.section("Examples")
	h.lines(cmd.Example)
	var names []string
	for _, f := range ownSettings(cmd) {
		names = append(names, envName(f))
	}
	h.section("")
	if len(names) > 0 {
		h.paragraphs("The environment can set these flags: " + strings.Join(names, ", ") + ".")
	}
	h.paragraphs(`Every command also accepts the global flags --db, --config, --json, --log-level and
--log-format. "bridge help" explains them.`)
}

func (h *helpPrinter) root(cmd *cobra.Command) {
	for _, g := range cmd.Groups() {
		h.section(g.Title)
		var rows [][2]string
		for _, sub := range cmd.Commands() {
			if sub.GroupID != g.ID || sub.Hidden {
				continue
			}
			if sub.Annotations[annotationParent] == "" {
				rows = append(rows, [2]string{sub.Name(), sub.Short})
			}
			rows = append(rows, commandRows(sub)...)
		}
		h.rows(rows)
	}
	h.section("Global flags")
	h.rows(flagRows(cmd.PersistentFlags()))
	h.section("Examples")
	h.lines(cmd.Example)
	h.section("Settings")
	_, _ = h.out.WriteString(wrapWords(configurationHelp, "  ", "  ", h.screen.width))
	h.section("Exit codes")
	var codes [][2]string
	for _, e := range advice.Exits {
		codes = append(codes, [2]string{fmt.Sprintf("%2d", e.Code), e.Meaning})
	}
	h.rows(codes)
}

const configurationHelp = `A flag overrides the environment, which overrides the configuration file, which
overrides the default. Global flags can be set with the variables BRIDGE_DB,
BRIDGE_CONFIG, BRIDGE_LOG_LEVEL and BRIDGE_LOG_FORMAT; limits of a new store and
settings of programs that run unattended have variables too, which their help lists.
"bridge doctor" shows where each value comes from.`

// commandRows returns the visible commands below cmd and their short descriptions,
// under their names without "bridge".
func commandRows(cmd *cobra.Command) (rows [][2]string) {
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			_, name, _ := strings.Cut(sub.CommandPath(), " ")
			rows = append(rows, [2]string{name, sub.Short})
		}
	}
	return rows
}

func flagRows(fs *pflag.FlagSet) (rows [][2]string) {
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" && f.Name != "version" {
			rows = append(rows, flagRow(f))
		}
	})
	return rows
}

// ownFlagRows returns the flags of cmd itself in the order of their definition.
func ownFlagRows(cmd *cobra.Command) (rows [][2]string) {
	global := cmd.Root().PersistentFlags()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if global.Lookup(f.Name) != f && f.Name != "help" {
			rows = append(rows, flagRow(f))
		}
	})
	return rows
}

// limitRows returns the flags of a store's limits, which are shown nowhere else.
func limitRows(fs *pflag.FlagSet) (rows [][2]string) {
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			rows = append(rows, flagRow(f))
		}
	})
	return rows
}

func flagRow(f *pflag.Flag) [2]string {
	name, usage := "--"+f.Name, f.Usage
	if kind := f.Value.Type(); kind != kindBool {
		name += " " + kind
	}
	if f.DefValue != "" && f.DefValue != "false" {
		usage += " (default " + f.DefValue + ")"
	}
	return [2]string{name, usage}
}

func (h *helpPrinter) section(title string) {
	_ = h.out.WriteByte('\n')
	if title != "" {
		_, _ = h.out.WriteString(h.screen.paint(title, bold) + "\n")
	}
}

func (h *helpPrinter) lines(text string) { _, _ = h.out.WriteString(text + "\n") }

func (h *helpPrinter) paragraphs(text string) { _, _ = h.out.WriteString(reflow(text, h.screen.width)) }

// reflow rewraps the paragraphs of text to width columns. Lines that begin with a
// blank, such as those of a list, are kept.
func reflow(text string, width int) string {
	var out strings.Builder
	var prose []string
	flush := func() {
		if len(prose) > 0 {
			out.WriteString(wrapWords(strings.Join(prose, "\n"), "", "", width))
		}
		prose = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && line[0] != ' ' {
			prose = append(prose, line)
			continue
		}
		flush()
		out.WriteString(line + "\n")
	}
	flush()
	return out.String()
}

// maxTerm is the maximum width of the left column of a list.
const maxTerm = 30

// rows writes a list of terms and their explanations.
func (h *helpPrinter) rows(rows [][2]string) {
	width := 0
	for _, row := range rows {
		if n := displayWidth(row[0]); n <= maxTerm {
			width = max(width, n)
		}
	}
	indent := strings.Repeat(" ", width+4)
	for _, row := range rows {
		lead := "  " + row[0] + strings.Repeat(" ", max(width-displayWidth(row[0]), 0)) + "  "
		if displayWidth(row[0]) > width {
			h.lines("  " + row[0])
			lead = indent
		}
		_, _ = h.out.WriteString(wrapWords(row[1], lead, indent, h.screen.width))
	}
}
