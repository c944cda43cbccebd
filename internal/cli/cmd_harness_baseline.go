package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/harness/bench"
	"example.org/bridge/internal/harness/stat"
	"example.org/bridge/internal/harness/suite"
)

func newHarnessBaselineCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline COMMAND",
		Short: "Save response times and compare with them later",
		Long: `Baselines are saved response times: one file per case, in the folder that the suite
names in performance.baseline_storage_path (default: baselines). They show drift over
weeks. To compare two programs use bridge harness bench --against, which does not need a
quiet machine. Baselines from another machine are shown, but never fail a check.`,
		Example: `  bridge harness baseline rebuild suite.yaml
  bridge harness baseline check suite.yaml`,
		Args:        noCommandArgs,
		Annotations: map[string]string{annotationParent: "its commands do everything"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: suggestWithin,
	}
	cmd.AddCommand(newBaselineShowCmd(a), newBaselineCheckCmd(a), newBaselineUpdateCmd(a), newBaselineRebuildCmd(a))
	return cmd
}

func newBaselineShowCmd(a *app) *cobra.Command {
	var environment string
	cmd := &cobra.Command{
		Use:   "show SUITE",
		Short: "List baselines, and which of them are sound",
		Long: `List the baselines of a suite. A baseline is sound if it has at least 10 response times
that vary by at most 50 % and of which at most a tenth are outliers. The exit code is 13
if one is not sound.`,
		Example: `  bridge harness baseline show suite.yaml`,
		Args:    a.oneSuite,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := suite.Load(args[0], environment, a.lookupEnv)
			if err != nil {
				return a.badSuite(err)
			}
			all, err := bench.Load(baselineFolder(s))
			if err != nil {
				return a.badSuite(err)
			}
			return a.printBaselines(all)
		},
	}
	textFlag(cmd.Flags(), &environment, kindText, "environment", "one of the suite's environments")
	return cmd
}

// soundBaseline is a baseline and its problems, for --json.
type soundBaseline struct {
	bench.Baseline
	Problem string `json:"problem,omitempty"`
}

func (a *app) printBaselines(all []bench.Baseline) error {
	rows, unsound := make([]soundBaseline, len(all)), false
	for i, b := range all {
		rows[i].Baseline = b
		if err := b.Check(); err != nil {
			rows[i].Problem, unsound = err.Error(), true
		}
	}
	var err error
	switch {
	case a.json:
		err = a.printJSON(rows)
	case len(rows) == 0:
		_, err = fmt.Fprintln(a.stdout, "There are no baselines yet: `bridge harness baseline rebuild` measures them.")
	default:
		t := &table{columns: []column{
			{title: "CASE", shrink: true, least: 12},
			{title: "MEDIAN", right: true},
			{title: "TIMES", right: true, drop: 1},
			{title: "MEASURED", drop: 2},
			{title: "PROBLEM", shrink: true, least: 12},
		}}
		for _, b := range rows {
			t.add(a.caseName(b.Case), cell{figure(b.Case, stat.Median(b.ResponseTimes)), plain}, cell{fmt.Sprint(len(b.ResponseTimes)), plain},
				cell{a.screen().stamp(b.Measured, a.now()), plain}, cell{b.Problem, bad})
		}
		err = t.print(a.stdout, a.screen())
	}
	if err == nil && unsound {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

// baselineCmd returns a command that measures the cases of a suite. There are no
// baselines for a server's start-up time and memory, because they depend on what else
// the machine does.
func baselineCmd(a *app, use, short, long string, do func(context.Context, *suite.Suite, harnessBenchOptions, bench.Measured) error) *cobra.Command {
	o := harnessBenchOptions{calls: defaultCalls}
	cmd := &cobra.Command{
		Use: use + " SUITE", Short: short, Long: long,
		Example: "  bridge harness baseline " + use + " suite.yaml",
		Args:    a.oneSuite,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, plan, err := o.load(a, args[0])
			if err != nil {
				return err
			}
			if err := o.check(len(plan)); err != nil {
				return a.badSuite(err)
			}
			result, err := a.measure(cmd.Context(), bench.Options{New: s, Plan: plan, Blocks: o.blocks, Calls: o.calls})
			if err != nil {
				return err
			}
			return do(cmd.Context(), s, o, result.New.OnlyCases())
		},
	}
	o.register(cmd)
	return cmd
}

func newBaselineCheckCmd(a *app) *cobra.Command {
	return baselineCmd(a, "check", "Measure and compare with the baselines", `Measure the cases of a suite and compare them with their baselines. A case gets a level
(warning, error or critical) if it is slower by more than the suite allows in
performance.thresholds (25, 50, 100 %) and the lower quartile of its times is above the
upper quartile of the baseline's. The exit code is 13 for error and critical. Baselines
that are unsound or from another machine only give warnings.`,
		func(_ context.Context, s *suite.Suite, _ harnessBenchOptions, m bench.Measured) error {
			judged, fresh, err := a.judgeBaselines(s, m)
			if err == nil {
				err = a.printJudged(judged, fresh)
			}
			if err == nil && slices.ContainsFunc(judged, regressed) {
				err = &exitError{advice.ExitFinding}
			}
			return err
		})
}

func regressed(j bench.Judged) bool { return j.Level == bench.Error || j.Level == bench.Critical }

func (a *app) judgeBaselines(s *suite.Suite, m bench.Measured) (judged []bench.Judged, fresh []string, err error) {
	all, err := bench.Load(baselineFolder(s))
	if err != nil {
		return nil, nil, a.badSuite(err)
	}
	if len(all) == 0 {
		return nil, nil, a.badSuite(errors.New("there are no baselines yet: `bridge harness baseline rebuild` measures them"))
	}
	t := s.Baselines.Thresholds
	judged, fresh = bench.Judge(m, all, bench.Thresholds{Warning: t.Warning / 100, Error: t.Error / 100, Critical: t.Critical / 100})
	return judged, fresh, nil
}

// judgedReport is the result of a check, for --json.
type judgedReport struct {
	Cases []bench.Judged `json:"cases"`
	Fresh []string       `json:"without_baseline,omitempty"`
}

func (a *app) printJudged(judged []bench.Judged, fresh []string) error {
	if a.json {
		return a.printJSON(judgedReport{judged, fresh})
	}
	styles := map[bench.Level]style{bench.Warning: warn, bench.Error: bad, bench.Critical: bad}
	t := &table{columns: []column{
		{title: "CASE", shrink: true, least: 12},
		{title: "THEN", right: true},
		{title: "NOW", right: true},
		{title: "RATIO", right: true},
		{title: "LEVEL"},
		{title: "NOTE", shrink: true, least: 12},
	}}
	for _, j := range judged {
		note := j.Unsound
		if j.Elsewhere {
			note = "measured on another machine"
		}
		t.add(a.caseName(j.Name), cell{figure(j.Name, j.Then), plain}, cell{figure(j.Name, j.Now), plain}, cell{fmt.Sprintf("%.2f", j.Ratio), plain},
			cell{string(j.Level), styles[j.Level]}, cell{note, faint})
	}
	for _, name := range fresh {
		t.add(a.caseName(name), cell{}, cell{}, cell{}, cell{}, cell{"has no baseline", faint})
	}
	return t.print(a.stdout, a.screen())
}

func newBaselineUpdateCmd(a *app) *cobra.Command {
	return baselineCmd(a, "update", "Update baselines that have not become slower", `Measure the cases of a suite and save the results as baselines, also for cases that have
none. If a case is slower by more than the error threshold, nothing is saved and the
exit code is 13. If the slowdown is intended, use bridge harness baseline rebuild.`,
		func(_ context.Context, s *suite.Suite, o harnessBenchOptions, m bench.Measured) error {
			all, err := bench.Load(baselineFolder(s))
			if err != nil {
				return a.badSuite(err)
			}
			if len(all) > 0 {
				judged, fresh, err := a.judgeBaselines(s, m)
				if err != nil {
					return err
				}
				if slices.ContainsFunc(judged, regressed) {
					if err := a.printJudged(judged, fresh); err != nil {
						return err
					}
					return &exitError{advice.ExitFinding}
				}
			}
			return a.keepBaselines(s, o, m)
		})
}

func newBaselineRebuildCmd(a *app) *cobra.Command {
	return baselineCmd(a, "rebuild", "Discard the baselines and measure new ones", `Measure all cases of a suite, and replace all baselines with the results.`,
		func(_ context.Context, s *suite.Suite, o harnessBenchOptions, m bench.Measured) error {
			if err := bench.Clear(baselineFolder(s)); err != nil {
				return err
			}
			return a.keepBaselines(s, o, m)
		})
}

// keepBaselines saves the measurements as baselines, and reports those that are
// unsound.
func (a *app) keepBaselines(s *suite.Suite, o harnessBenchOptions, m bench.Measured) error {
	var all []bench.Baseline
	for _, one := range m.Series {
		all = append(all, bench.NewBaseline(one, m, o.calls, a.now()))
	}
	if err := bench.Save(baselineFolder(s), all); err != nil {
		return err
	}
	return a.printBaselines(all)
}
