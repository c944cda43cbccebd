package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/view"
)

func newHarnessCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "harness COMMAND",
		Short: "Test any MCP server",
		Long: `Test MCP servers written in any language: a suite in YAML says how to start the server
and what its tools must answer. docs/harness.md explains suites and findings.

The exit code is 0 if there are no findings, 13 if there are any, 14 if the suite or the
arguments are wrong, and 15 if the server cannot be started.`,
		Example: `  bridge harness validate suite.yaml
  bridge harness run suite.yaml`,
		Args:        noCommandArgs,
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newHarnessInitCmd(a), newHarnessImportCmd(a), newHarnessRunCmd(a), newHarnessValidateCmd(a), newHarnessListCmd(a), newHarnessSnapshotCmd(a), newHarnessDiffCmd(a),
		newHarnessProbeCmd(a), newHarnessFuzzCmd(a), newHarnessBenchCmd(a), newHarnessBaselineCmd(a), newHarnessReportCmd(a), newHarnessServeCmd(a), newHarnessHealthCheckCmd(a), newHarnessShimCmd(a))
	for _, sub := range cmd.Commands() {
		sub.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return a.badSuite(flagError(cmd, err)) })
	}
	return cmd
}

// badSuite prints each error in a suite, or in the arguments, on its own line.
func (a *app) badSuite(err error) error {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, one := range several.Unwrap() {
			a.note(one.Error())
		}
	} else {
		a.note(err.Error())
	}
	return &exitError{advice.ExitBadSuite}
}

// oneSuite checks the arguments of commands that take one suite.
func (a *app) oneSuite(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return a.badSuite(fmt.Errorf("`%s` takes one suite, but was given %d", cmd.CommandPath(), len(args)))
}

// suiteOptions are the options that all commands on suites share.
type suiteOptions struct {
	environment string
	tags, skip  string
	name        string
}

func (o *suiteOptions) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	textFlag(fs, &o.environment, kindText, "environment", "one of the suite's environments")
	textFlag(fs, &o.tags, kindText, "tags", "only cases with one of these tags, separated by commas, and the cases they depend on")
	textFlag(fs, &o.skip, kindText, "skip-tags", "leave out cases with one of these tags, separated by commas")
	textFlag(fs, &o.name, kindText, "name", "only cases whose name contains this")
}

// load reads a suite and selects its cases.
func (o *suiteOptions) load(a *app, path string) (*suite.Suite, []suite.Planned, error) {
	s, err := suite.Load(path, o.environment, a.lookupEnv)
	if err != nil {
		return nil, nil, a.badSuite(err)
	}
	plan := s.Plan(suite.Selection{Tags: words(o.tags), SkipTags: words(o.skip), Names: words(o.name)})
	if len(plan) == 0 {
		return nil, nil, a.badSuite(errors.New("no case of the suite is selected: `bridge harness list` shows their names and tags"))
	}
	return s, plan, nil
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

func newHarnessValidateCmd(a *app) *cobra.Command {
	var o suiteOptions
	cmd := &cobra.Command{
		Use:   "validate SUITE",
		Short: "Check a suite without starting its server",
		Long: `Check a suite without starting its server. Each error is reported with its line, and the
exit code is 14 if there are any. Variables must be set as for a run.`,
		Example: `  bridge harness validate suite.yaml
  bridge harness validate suite.yaml --environment staging`,
		Args: a.oneSuite,
		RunE: func(_ *cobra.Command, args []string) error {
			s, plan, err := o.load(a, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"suite": s.Path, "cases": len(plan), "ok": true})
			}
			_, err = fmt.Fprintf(a.stdout, "%s is a suite with %s.\n", s.Path, view.Count(int64(len(plan)), "case"))
			return err
		},
	}
	textFlag(cmd.Flags(), &o.environment, kindText, "environment", "one of the suite's environments")
	return cmd
}

// jsonCase is a case of a suite in JSON output.
type jsonCase struct {
	Name      string   `json:"name"`
	Tags      []string `json:"tags,omitempty"`
	DependsOn []string `json:"depends_on,omitempty"`
}

func casesOf(plan []suite.Planned) []jsonCase {
	cases := make([]jsonCase, len(plan))
	for i, p := range plan {
		cases[i] = jsonCase{p.ID, p.Tags, p.DependsOn}
	}
	return cases
}

func newHarnessListCmd(a *app) *cobra.Command {
	var o suiteOptions
	cmd := &cobra.Command{
		Use:   "list SUITE",
		Short: "List the cases of a suite",
		Long: `List the cases that a run with the same flags would run, one for each cell of a matrix,
with their tags. Nothing is started.`,
		Example: `  bridge harness list suite.yaml
  bridge harness list suite.yaml --tags smoke`,
		Args: a.oneSuite,
		RunE: func(_ *cobra.Command, args []string) error { return runHarnessList(a, o, args[0]) },
	}
	o.register(cmd)
	return cmd
}

func runHarnessList(a *app, o suiteOptions, path string) error {
	_, plan, err := o.load(a, path)
	if err != nil {
		return err
	}
	cases := casesOf(plan)
	if a.json {
		return a.printJSON(cases)
	}
	for _, c := range cases {
		line := cleantext.CleanLine(c.Name)
		if len(c.Tags) > 0 {
			line += "  (" + cleantext.CleanLine(strings.Join(c.Tags, ", ")) + ")"
		}
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
