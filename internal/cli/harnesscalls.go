package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
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

// callTarget is a server whose tools a command calls with arguments of its own.
type callTarget struct {
	suite    *suite.Suite
	snapshot *contract.Snapshot
	found    []finding.Finding // while its lists were read
	called   []string          // the tools that may be called
	left     []string          // the others
	open     func(context.Context) (*wire.Conn, error)
	limit    time.Duration // for each call
}

// callTarget starts the server once and reads what tools it has.
func (a *app) callTarget(ctx context.Context, s *suite.Suite, o callOptions) (t callTarget, err error) {
	t.suite, t.limit = s, time.Duration(s.Global.TimeoutSeconds*float64(time.Second))
	t.open = func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) }
	if t.snapshot, t.found, err = run.Snapshot(ctx, s); err != nil {
		return t, a.maybeNotStarted(err)
	}
	if t.called, t.left, err = t.snapshot.Callable(words(o.tools)); err != nil {
		return t, a.badSuite(err)
	}
	return t, nil
}

// maybeNotStarted is an error, or a server that could not be started.
func (a *app) maybeNotStarted(err error) error {
	if start := new(wire.StartError); errors.As(err, &start) {
		return a.notStarted(start)
	}
	return err
}

// foundJSON is what a command found, for --json.
type foundJSON struct {
	Findings  []finding.Finding `json:"findings"`
	Called    []string          `json:"called"`
	LeftAlone []string          `json:"left_alone"`
}

// tellFound prints what was found, the target's own findings first, without secrets,
// and makes an exit code of it.
func (a *app) tellFound(target callTarget, more []finding.Finding) error {
	found := run.HideSecrets(target.suite, append(target.found, more...))
	called, left := target.called, target.left
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
		if _, err := fmt.Fprintf(a.stdout, "%s: %s\n", s.paint(string(f.Kind), bad), f.Message()); err != nil {
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
