package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	"example.org/bridge/internal/view"
)

// callOptions are the options of commands that call tools with their own arguments.
type callOptions struct {
	environment, tools, skip string
}

func (o *callOptions) register(cmd *cobra.Command) {
	textFlag(cmd.Flags(), &o.environment, kindText, "environment", "one of the suite's environments")
	textFlag(cmd.Flags(), &o.tools, kindText, "tools", "also call these tools, separated by commas, although they are not marked as read-only")
	textFlag(cmd.Flags(), &o.skip, kindText, "skip", "do not call these tools, separated by commas")
}

// callTarget is a server that a command calls with its own arguments.
type callTarget struct {
	suite    *suite.Suite
	snapshot *contract.Snapshot
	found    []finding.Finding    // findings while its lists were read
	called   []string             // tools that may be called
	left     []string             // the others
	parts    []contract.Primitive // tools, prompts and templates that may be called
	open     func(context.Context) (*wire.Conn, error)
	limit    time.Duration // for each call
}

// callTarget starts the server once and reads which tools it has.
func (a *app) callTarget(ctx context.Context, s *suite.Suite, o callOptions) (t callTarget, err error) {
	t.suite, t.limit = s, time.Duration(s.Global.TimeoutSeconds*float64(time.Second))
	t.open = func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) }
	if t.snapshot, t.found, err = run.Snapshot(ctx, s); err != nil {
		return t, a.maybeNotStarted(err)
	}
	if t.called, t.left, err = t.snapshot.Callable(words(o.tools)); err != nil {
		return t, a.badSuite(err)
	}
	if err := t.leaveAlone(words(o.skip)); err != nil {
		return t, a.badSuite(err)
	}
	t.parts = t.snapshot.Primitives(t.called)
	return t, nil
}

// leaveAlone removes tools from those that may be called.
func (t *callTarget) leaveAlone(tools []string) error {
	for _, name := range tools {
		if t.snapshot.Tools[name] == nil {
			return fmt.Errorf("--skip: there is no tool %q: `bridge harness snapshot` shows their names", cleantext.CleanLine(name))
		}
		is := func(n string) bool { return n == name }
		t.called, t.left = slices.DeleteFunc(t.called, is), slices.DeleteFunc(t.left, is)
	}
	return nil
}

// named returns the names of the parts of one kind.
func (t callTarget) named(what string) []string {
	names := []string{}
	for _, p := range t.parts {
		if p.What == what {
			names = append(names, cleantext.CleanLine(p.Name))
		}
	}
	return names
}

// maybeNotStarted returns err, or reports that the server could not be started if that
// is the cause.
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
	Prompts   []string          `json:"prompts"`
	Templates []string          `json:"resource_templates"`
}

// tellFound prints findings with secrets redacted, the target's own first, and returns
// an error with the exit code.
func (a *app) tellFound(target callTarget, more []finding.Finding) error {
	found := run.HideSecrets(target.suite, append(target.found, more...))
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	clean := report.Outcome(run.Outcome{Findings: found}, engine).Findings
	if a.json {
		err = a.printJSON(foundJSON{clean, target.named(contract.IsTool), shortNames(target.left), target.named(contract.IsPrompt), target.named(contract.IsTemplate)})
	} else {
		err = a.tellLines(clean, target)
	}
	if err == nil && len(clean) > 0 {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

func (a *app) tellLines(found []finding.Finding, target callTarget) error {
	s := a.screen()
	for _, f := range found {
		if _, err := fmt.Fprintf(a.stdout, "%s: %s\n", s.paint(string(f.Kind), bad), f.Message()); err != nil {
			return err
		}
	}
	if len(target.left) > 0 {
		names := strings.Join(shortNames(target.left), ", ")
		if _, err := fmt.Fprintf(a.stdout, "Not called, because they are not marked as read-only: %s. --tools calls them.\n", names); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "%s; %s, %s and %s called.\n",
		view.Count(int64(len(found)), "finding"), view.Count(int64(len(target.called)), "tool"),
		view.Count(int64(len(target.named(contract.IsPrompt))), "prompt"), view.Count(int64(len(target.named(contract.IsTemplate))), "resource template"))
	return err
}

// shortNames makes names of tools safe to print. It never returns nil.
func shortNames(names []string) []string {
	list := []string{}
	for _, name := range names {
		list = append(list, cleantext.CleanLine(name))
	}
	return list
}
