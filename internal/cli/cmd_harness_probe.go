package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/probe"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// callOptions are for commands that call tools with arguments of their own.
type callOptions struct {
	environment, tools string
}

func (o *callOptions) register(cmd *cobra.Command) {
	textFlag(cmd.Flags(), &o.environment, kindText, "environment", "one of the suite's environments")
	textFlag(cmd.Flags(), &o.tools, kindText, "tools", "call these tools too, with commas between them, though they are not marked as read-only")
}

func newHarnessProbeCmd(a *app) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:   "probe {SUITE | -- COMMAND...}",
		Short: "Look for what makes a server dangerous to its users",
		Long: `Read all that a server says to models and look for characters that nobody sees and for
texts that ask a model to keep something from its user. Call its tools with paths that lead
to a file outside of the server's folder, and with expressions that only code works out.
Ask a server over HTTP as a page of another site would. Each alarm comes with a proof.

Only tools whose readOnlyHint is true are called, and those that --tools names.`,
		Example: `  bridge harness probe suite.yaml
  bridge harness probe --tools write_note -- python server.py`,
		Args: a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.server(cmd, args, o.environment)
			if err != nil {
				return err
			}
			return a.probe(cmd.Context(), s, o)
		},
	}
	o.register(cmd)
	return cmd
}

func (a *app) probe(ctx context.Context, s *suite.Suite, o callOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	snapshot, found, err := run.Snapshot(ctx, s)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	called, left, err := snapshot.Callable(words(o.tools))
	if err != nil {
		return a.badSuite(err)
	}
	folder, err := os.MkdirTemp("", "bridge-probe-")
	if err != nil {
		return fmt.Errorf("cannot make a folder for the file that no tool should read: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	calls := probe.Calls{
		Tools: snapshot.Checked(), Names: called, Folder: folder,
		Open:  func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) },
		Limit: time.Duration(s.Global.TimeoutSeconds * float64(time.Second)),
		URL:   s.Server.URL, Headers: s.Server.Headers,
	}
	found = append(found, probe.Texts(snapshot)...)
	proofs, err := calls.Run(ctx)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	return a.tellFound(run.HideSecrets(s, append(found, proofs...)), called, left)
}

// foundJSON is what a command found, for --json.
type foundJSON struct {
	Findings  []finding.Finding `json:"findings"`
	Called    []string          `json:"called"`
	LeftAlone []string          `json:"left_alone"`
}

// tellFound prints findings without secrets and makes an exit code of them.
func (a *app) tellFound(found []finding.Finding, called, left []string) error {
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	clean := report.Outcome(run.Outcome{Findings: found}, engine).Findings
	if a.json {
		err = a.printJSON(foundJSON{clean, shortNames(called), shortNames(left)})
	} else {
		err = a.tellLines(clean, called, left)
	}
	if err == nil && len(clean) > 0 {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

func (a *app) tellLines(found []finding.Finding, called, left []string) error {
	s := a.screen()
	for _, f := range found {
		where := f.Where
		if where != "" {
			where += ": "
		}
		if _, err := fmt.Fprintf(a.stdout, "%s: %s%s\n", s.paint(string(f.Kind), bad), where, f.Text); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		names := strings.Join(shortNames(left), ", ")
		if _, err := fmt.Fprintf(a.stdout, "Not called, because they are not marked as read-only: %s. --tools calls them.\n", names); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "%d findings; %d tools were called.\n", len(found), len(called))
	return err
}

// shortNames makes names of tools fit to be printed; it never returns nil.
func shortNames(names []string) []string {
	list := []string{}
	for _, name := range names {
		list = append(list, cleantext.CleanLine(name))
	}
	return list
}
