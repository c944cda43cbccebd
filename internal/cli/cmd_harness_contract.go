package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// serverArgs checks the arguments of commands that take the given number of files and
// then a suite, or a server's command after --.
func (a *app) serverArgs(files int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		dash := cmd.ArgsLenAtDash()
		if dash == files && len(args) > files || dash < 0 && len(args) == files+1 {
			return nil
		}
		return a.badSuite(fmt.Errorf("`%s` must be used as `%s`", cmd.CommandPath(), cmd.UseLine()))
	}
}

// server returns the suite named by a command's arguments.
func (a *app) server(cmd *cobra.Command, args []string, environment string) (*suite.Suite, error) {
	if cmd.ArgsLenAtDash() >= 0 {
		return suite.ForCommand(args), nil
	}
	s, err := suite.Load(args[0], environment, a.lookupEnv)
	if err != nil {
		return nil, a.badSuite(err)
	}
	return s, nil
}

func newHarnessSnapshotCmd(a *app) *cobra.Command {
	var environment, output string
	cmd := &cobra.Command{
		Use:   "snapshot {SUITE | -- COMMAND...}",
		Short: "Write what a server offers to a file",
		Long: `Start a server, read its tools, resources, templates, prompts, capabilities and
instructions, and write them as JSON, which you can commit and compare later with bridge
harness diff. The output is deterministic, so the files can also be compared directly.

The exit code is 13 if a list is invalid or costs more tokens than the suite allows.`,
		Example: `  bridge harness snapshot suite.yaml --output contract.json
  bridge harness snapshot -- python server.py`,
		Args: a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.server(cmd, args, environment)
			if err != nil {
				return err
			}
			return a.writeSnapshot(cmd.Context(), s, output)
		},
	}
	textFlag(cmd.Flags(), &environment, kindText, "environment", "one of the suite's environments")
	textFlag(cmd.Flags(), &output, kindPath, "output", "the output file (default: standard output)")
	return cmd
}

func (a *app) writeSnapshot(ctx context.Context, s *suite.Suite, output string) error {
	snapshot, found, err := a.takeSnapshot(ctx, s)
	if err != nil {
		return err
	}
	if output == "" {
		err = a.printJSON(snapshot)
	} else {
		err = saveSnapshot(output, snapshot)
	}
	if err == nil && len(found) > 0 {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

func saveSnapshot(path string, snapshot *contract.Snapshot) error {
	data, err := json.MarshalIndent(snapshot, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("cannot write the snapshot: %w", err)
	}
	return nil
}

// takeSnapshot takes a snapshot and prints findings on standard error.
func (a *app) takeSnapshot(ctx context.Context, s *suite.Suite) (*contract.Snapshot, []finding.Finding, error) {
	ctx, stop := daemon(ctx)
	defer stop()
	snapshot, found, err := run.Snapshot(ctx, s)
	if start := new(wire.StartError); errors.As(err, &start) {
		return nil, nil, a.notStarted(start)
	}
	if err == nil {
		err = a.printFindings(found)
	}
	return snapshot, found, err
}

// notStarted reports why a server could not be started.
func (a *app) notStarted(e *wire.StartError) error {
	if err := a.printFindings(e.Findings); err != nil {
		return err
	}
	return &exitError{advice.ExitNoServer}
}

// printFindings prints findings on standard error, with secrets redacted.
func (a *app) printFindings(found []finding.Finding) error {
	if len(found) == 0 {
		return nil
	}
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	for _, f := range report.Outcome(run.Outcome{Findings: found}, engine).Findings {
		a.note(string(f.Kind) + ": " + f.Message())
	}
	return nil
}

func newHarnessDiffCmd(a *app) *cobra.Command {
	var environment, failOn string
	cmd := &cobra.Command{
		Use:   "diff OLD.json {SUITE | NEW.json | -- COMMAND...}",
		Short: "Compare what a server offers with a snapshot",
		Long: `Compare a snapshot with what a server offers now, or with another snapshot. Each change
is breaking (a client that follows the old contract can fail: a tool or parameter was
removed, a parameter became required, a value is no longer accepted, or part of a result
may be missing), changed (different texts for people and models) or compatible.

The exit code is 13 if a change is breaking.`,
		Example: `  bridge harness diff contract.json suite.yaml
  bridge harness diff contract.json -- python server.py
  bridge harness diff old.json new.json --fail-on changed`,
		Args: a.serverArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			old, err := a.readSnapshot(args[0])
			if err != nil {
				return err
			}
			now, err := a.newerSnapshot(cmd, args[1:], environment)
			if err != nil {
				return err
			}
			return a.printChanges(contract.Compare(old, now), contract.Level(failOn))
		},
	}
	failOn = string(contract.Breaking)
	textFlag(cmd.Flags(), &environment, kindText, "environment", "one of the suite's environments")
	choiceFlag(cmd.Flags(), &failOn, []string{string(contract.Breaking), string(contract.Changed)}, "fail-on", "the least severe change that counts as a finding")
	return cmd
}

func (a *app) readSnapshot(path string) (*contract.Snapshot, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, a.badSuite(fmt.Errorf("the snapshot cannot be read: %w", err))
	}
	s, err := contract.ParseSnapshot(data)
	if err != nil {
		return nil, a.badSuite(fmt.Errorf("%s %w", path, err))
	}
	return s, nil
}

// promised returns the snapshot named by a suite; nil if there is none.
func (a *app) promised(s *suite.Suite) (*contract.Snapshot, error) {
	path := s.Server.Contract
	if path == "" {
		return nil, nil //nolint:nilnil // a suite need not name one
	}
	return a.readSnapshot(s.Beside(path))
}

// newerSnapshot reads a snapshot from a file or takes one of a server.
func (a *app) newerSnapshot(cmd *cobra.Command, args []string, environment string) (*contract.Snapshot, error) {
	if cmd.ArgsLenAtDash() < 0 && strings.EqualFold(filepath.Ext(args[0]), ".json") {
		return a.readSnapshot(args[0])
	}
	s, err := a.server(cmd, args, environment)
	if err != nil {
		return nil, err
	}
	snapshot, found, err := a.takeSnapshot(cmd.Context(), s)
	if err == nil && len(found) > 0 {
		err = &exitError{advice.ExitFinding}
	}
	return snapshot, err
}

// printChanges prints changes with secrets redacted and returns an error with the exit
// code for them.
func (a *app) printChanges(changes []contract.Change, failOn contract.Level) error {
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	count := map[contract.Level]int{}
	for i, c := range changes {
		changes[i].Where, changes[i].Text = report.Line(c.Where, engine), report.Line(c.Text, engine)
		count[c.Level]++
	}
	if a.json {
		if changes == nil {
			changes = []contract.Change{}
		}
		err = a.printJSON(map[string]any{"changes": changes, "counts": count})
	} else {
		err = a.tellChanges(changes, count)
	}
	if err == nil && (count[contract.Breaking] > 0 || failOn == contract.Changed && count[contract.Changed] > 0) {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

func (a *app) tellChanges(changes []contract.Change, count map[contract.Level]int) error {
	s := a.screen()
	paint := map[contract.Level]style{contract.Breaking: bad, contract.Changed: warn, contract.Compatible: good}
	for _, c := range changes {
		if _, err := fmt.Fprintf(a.stdout, "%s  %s: %s\n", s.paint(fmt.Sprintf("%-10s", c.Level), paint[c.Level]), c.Where, c.Text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "%d breaking, %d changed, %d compatible.\n", count[contract.Breaking], count[contract.Changed], count[contract.Compatible])
	return err
}
