package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"mvdan.cc/sh/v3/shell"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/harness/bench"
	"example.org/bridge/internal/harness/stat"
	"example.org/bridge/internal/harness/suite"
)

type harnessBenchOptions struct {
	suiteOptions
	blocks, calls, threshold int
	against                  string
}

// These defaults are enough to detect a difference of 10 % on a quiet machine.
const (
	defaultCalls     = 15
	defaultThreshold = 10 // percent
	mostBenchBlocks  = 1000
	mostBenchCalls   = 100_000
)

func (o *harnessBenchOptions) register(cmd *cobra.Command) {
	o.suiteOptions.register(cmd)
	fs := cmd.Flags()
	numberFlag(fs, &o.blocks, "blocks", "how often the servers are restarted; 0 = as needed for the number of cases")
	numberFlag(fs, &o.calls, "calls", "how often each case is run per start")
}

// check sets the number of blocks if it is not given, and checks the options.
func (o *harnessBenchOptions) check(cases int) error {
	if o.blocks == 0 {
		o.blocks = bench.Blocks(cases)
	}
	if o.blocks > mostBenchBlocks || o.calls < 1 || o.calls > mostBenchCalls {
		return fmt.Errorf("--blocks must be at most %d, and --calls from 1 to %d", mostBenchBlocks, mostBenchCalls)
	}
	return nil
}

func newHarnessBenchCmd(a *app) *cobra.Command {
	o := harnessBenchOptions{calls: defaultCalls, threshold: defaultThreshold}
	cmd := &cobra.Command{
		Use:   "bench SUITE",
		Short: "Measure a server, and compare it with another one",
		Long: `Run each case of a suite many times and report how long its requests took, how long the
server took to start and how much memory it had. With --against the same cases run on a
second program during the same minutes: calls alternate in random order, and both
programs are restarted for each block, since two processes of the same program differ
too. A case is worse if the difference is significant (Wilcoxon's signed-rank test over
the blocks, with Holm's correction, 1 % for all cases together) and exceeds --threshold
percent.

The exit code is 13 if something is worse or a case fails. docs/harness.md explains the
figures.`,
		Example: `  bridge harness bench suite.yaml
  bridge harness bench suite.yaml --against './server-v1 --quiet'`,
		Args: a.oneSuite,
		RunE: func(cmd *cobra.Command, args []string) error { return a.benchHarness(cmd.Context(), o, args[0]) },
	}
	o.register(cmd)
	textFlag(cmd.Flags(), &o.against, kindText, "against", "the command of the program to compare with; it gets the suite's environment and folder")
	numberFlag(cmd.Flags(), &o.threshold, "threshold", "how much worse a case must be to be reported, in percent")
	return cmd
}

func (a *app) benchHarness(ctx context.Context, o harnessBenchOptions, path string) error {
	s, plan, err := o.load(a, path)
	if err != nil {
		return err
	}
	if err := o.check(len(plan)); err != nil {
		return a.badSuite(err)
	}
	options := bench.Options{New: s, Plan: plan, Blocks: o.blocks, Calls: o.calls}
	if o.against != "" {
		command, err := shell.Fields(o.against, func(name string) string { v, _ := a.lookupEnv(name); return v })
		if err != nil || len(command) == 0 {
			return a.badSuite(errors.New("--against must be a command with its arguments, quoted as for a shell"))
		}
		options.Old = s.WithCommand(command)
	}
	result, err := a.measure(ctx, options)
	if err != nil {
		return err
	}
	if options.Old == nil {
		return a.printMeasured(s, o, result.New)
	}
	return a.printCompared(s, o, bench.Compare(result.New, result.Old, float64(o.threshold)/100))
}

// measure runs the measurement and reports what kept a case from being measured.
func (a *app) measure(ctx context.Context, o bench.Options) (bench.Result, error) {
	ctx, stop := daemon(ctx)
	defer stop()
	progress := a.progress()
	o.Progress = func(done int) { progress.show("block %d of %d", done, o.Blocks) }
	result, err := bench.Measure(ctx, o)
	progress.clear()
	switch {
	case ctx.Err() != nil:
		return result, errors.New("ended by a signal before everything was measured")
	case err != nil:
		return result, a.maybeNotStarted(err)
	case len(result.Found) > 0:
		if err := a.printFindings(result.Found); err != nil {
			return result, err
		}
		return result, &exitError{advice.ExitFinding}
	}
	return result, nil
}

// benchFigures is one measured case, for --json. Times are in milliseconds, memory in
// MiB.
type benchFigures struct {
	Name   string  `json:"name"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Most   float64 `json:"max"`
	Count  int     `json:"count"`
}

// benchReport is the result of a measurement, for --json.
type benchReport struct {
	Suite     string             `json:"suite"`
	Machine   bench.Machine      `json:"machine"`
	Blocks    int                `json:"blocks"`
	Calls     int                `json:"calls"`
	Threshold float64            `json:"threshold,omitempty"`
	Figures   []benchFigures     `json:"figures,omitempty"`
	Compared  []bench.Comparison `json:"compared,omitempty"`
}

func (a *app) printMeasured(s *suite.Suite, o harnessBenchOptions, m bench.Measured) error {
	report := benchReport{Suite: s.Path, Machine: bench.ThisMachine(), Blocks: o.blocks, Calls: o.calls}
	for _, one := range m.Series {
		report.Figures = append(report.Figures, benchFigures{
			Name: one.Name, Median: stat.Median(one.Calls), P95: stat.Quantile(one.Calls, 0.95), P99: stat.Quantile(one.Calls, 0.99),
			Most: slices.Max(one.Calls), Count: len(one.Calls),
		})
	}
	if a.json {
		return a.printJSON(report)
	}
	t := &table{columns: []column{
		{title: "CASE", shrink: true, least: 12},
		{title: "MEDIAN", right: true},
		{title: "P95", right: true},
		{title: "P99", right: true, drop: 2},
		{title: "MAX", right: true, drop: 1},
		{title: "COUNT", right: true, drop: 3},
	}}
	for _, f := range report.Figures {
		show := func(v float64) cell { return cell{figure(f.Name, v), plain} }
		t.add(a.caseName(f.Name), show(f.Median), show(f.P95), show(f.P99), show(f.Most), cell{fmt.Sprint(f.Count), plain})
	}
	return t.print(a.stdout, a.screen())
}

func (a *app) printCompared(s *suite.Suite, o harnessBenchOptions, all []bench.Comparison) error {
	report := benchReport{
		Suite: s.Path, Machine: bench.ThisMachine(), Blocks: o.blocks, Calls: o.calls,
		Threshold: float64(o.threshold) / 100, Compared: all,
	}
	var err error
	if a.json {
		err = a.printJSON(report)
	} else {
		err = a.tableOf(all).print(a.stdout, a.screen())
	}
	if err == nil && slices.ContainsFunc(all, func(c bench.Comparison) bool { return c.Verdict == bench.Worse }) {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

func (a *app) tableOf(all []bench.Comparison) *table {
	t := &table{columns: []column{
		{title: "CASE", shrink: true, least: 12},
		{title: "BEFORE", right: true, drop: 2},
		{title: "NOW", right: true, drop: 1},
		{title: "RATIO", right: true},
		{title: "95 % INTERVAL", right: true, drop: 3},
		{title: "P", right: true, drop: 4},
		{title: ""},
	}}
	for _, c := range all {
		how := map[bench.Verdict]style{bench.Worse: bad, bench.Better: good}[c.Verdict]
		t.add(a.caseName(c.Name), cell{figure(c.Name, c.Old), plain}, cell{figure(c.Name, c.New), plain}, cell{fmt.Sprintf("%.2f", c.Ratio), how},
			cell{fmt.Sprintf("%.2f to %.2f", c.Low, c.High), plain}, cell{chance(c.P), plain}, cell{string(c.Verdict), how})
	}
	return t
}

// caseName returns a name from a suite in a form that is safe to show.
func (a *app) caseName(name string) cell {
	return cell{strings.Join(shortNames([]string{name}), ""), plain}
}

// figure formats a time or, for memory, an amount.
func figure(name string, value float64) string {
	switch {
	case name == bench.MemoryName:
		return fmt.Sprintf("%.1f MiB", value)
	case value < 10:
		return fmt.Sprintf("%.3f ms", value)
	}
	return fmt.Sprintf("%.1f ms", value)
}

func chance(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// baselineFolder returns the folder with the baselines of a suite.
func baselineFolder(s *suite.Suite) string {
	folder := s.Baselines.Folder
	if folder == "" {
		folder = "baselines"
	}
	return s.Beside(folder)
}
