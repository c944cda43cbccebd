package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/redact"
	"example.org/bridge/internal/view"
)

type harnessRunOptions struct {
	suiteOptions
	failFast    bool
	concurrency int
	dir         string
	formats     []string
}

func newHarnessRunCmd(a *app) *cobra.Command {
	var o harnessRunOptions
	cmd := &cobra.Command{
		Use:   "run SUITE",
		Short: "Run the cases of a suite against its server",
		Long: `Start the server of a suite, run its cases and report findings: answers that differ from
what a case expects, and faults of the server itself, such as a stray line on standard
output, a tool without inputSchema, a result that violates its outputSchema, or a
process that is left running. If a server hangs, crashes or floods its output, only that
case fails; the run continues.

The server gets a minimal environment plus what the suite sets, and is stopped with all
its processes at the end. --json prints the report; --report-dir also writes it to
files.`,
		Example: `  bridge harness run suite.yaml
  bridge harness run suite.yaml --tags smoke --fail-fast
  bridge harness run suite.yaml --report-dir reports --report-formats junit,json`,
		Args: a.oneSuite,
		RunE: func(cmd *cobra.Command, args []string) error { return runHarness(cmd.Context(), a, o, args[0]) },
	}
	o.register(cmd)
	fs := cmd.Flags()
	boolFlag(fs, &o.failFast, "fail-fast", "stop after the first failed case")
	numberFlag(fs, &o.concurrency, "concurrency", "how many servers run cases at the same time, up to 64; 0 = as in the suite")
	textFlag(fs, &o.dir, kindPath, "report-dir", "the folder for reports (default: as in the suite, otherwise none)")
	choicesFlag(fs, &o.formats, suite.Formats(), "report-formats", "the report formats, separated by commas (default: as in the suite, otherwise all)")
	return cmd
}

func runHarness(ctx context.Context, a *app, o harnessRunOptions, path string) error {
	s, plan, err := o.load(a, path)
	if err != nil {
		return err
	}
	if o.concurrency > suite.MaxConcurrency {
		return a.badSuite(fmt.Errorf("--concurrency must be at most %d", suite.MaxConcurrency))
	}
	if o.concurrency > 0 {
		s.Global.MaxConcurrency = o.concurrency
	}
	s.Global.FailFast = s.Global.FailFast || o.failFast
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	line := a.progress()
	progress := a.caseProgress(line, len(plan), engine)
	promised, err := a.promised(s)
	if err != nil {
		return err
	}
	r := run.Run(ctx, run.Options{Suite: s, Plan: plan, Progress: progress, Contract: promised})
	line.clear()
	return a.endHarness(ctx, r, s, o, engine)
}

// caseProgress prints each case when it is done. On a terminal only cases that did not
// pass stay visible, and a line below them counts those that are done.
func (a *app) caseProgress(line *progressLine, cases int, engine *redact.Engine) func(run.Outcome) {
	done := 0
	return func(c run.Outcome) {
		done++
		line.clear()
		if !a.json && (c.State != run.Passed || a.screen().width == 0) {
			a.printCase(a.stdout, report.Outcome(c, engine))
		}
		line.show("%d of %d cases: %s", done, cases, c.ID)
	}
}

// endHarness writes the reports of a run and returns an error with its exit code.
func (a *app) endHarness(ctx context.Context, r *run.Report, s *suite.Suite, o harnessRunOptions, engine *redact.Engine) error {
	report.Clean(r, engine)
	paths, err := a.writeReports(r, s, o)
	a.tellOfRun(ctx, r, s)
	if err != nil {
		return err
	}
	if a.json {
		err = report.JSON(a.stdout, r)
	} else {
		err = a.printRun(r, paths)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("ended by a signal: %s did not run", view.Count(int64(r.Count(run.Skipped)), "case"))
	case r.NotStarted:
		return &exitError{advice.ExitNoServer}
	case r.Findings() > 0:
		return &exitError{advice.ExitFinding}
	}
	return nil
}

// writeReports writes the reports that the flags or the suite ask for, and removes old
// ones.
func (a *app) writeReports(r *run.Report, s *suite.Suite, o harnessRunOptions) ([]string, error) {
	dir, formats := o.dir, o.formats
	if dir == "" && s.Reporting.OutputDir != "" {
		dir = s.Beside(s.Reporting.OutputDir)
	}
	if dir == "" {
		return nil, nil
	}
	if len(formats) == 0 {
		formats = s.Reporting.Formats
	}
	if len(formats) == 0 {
		formats = suite.Formats()
	}
	paths, err := report.Write(dir, formats, r)
	if days := s.Reporting.RetentionDays; err == nil && days > 0 {
		_, err = report.Sweep(dir, a.now().Add(-time.Duration(days)*24*time.Hour))
	}
	return paths, err
}

// printCase prints a case on one line, with its findings below it.
func (a *app) printCase(w io.Writer, c run.Outcome) {
	s := a.screen()
	how := map[run.State]style{run.Passed: good, run.Failed: bad, run.Flaky: warn, run.Skipped: faint}[c.State]
	detail := c.Reason
	if c.State != run.Skipped {
		detail = fmt.Sprintf("%.0f ms", float64(c.Duration.Microseconds())/1000)
	}
	_, _ = fmt.Fprintf(w, "%s  %s  (%s)\n", s.paint(fmt.Sprintf("%-7s", c.State), how), c.ID, detail)
	for _, f := range c.Findings {
		_, _ = fmt.Fprintf(w, "         %s: %s\n", f.Kind, f.Message())
	}
}

// printRun prints findings that belong to no case, and the totals.
func (a *app) printRun(r *run.Report, paths []string) error {
	if len(r.Server.Findings) > 0 {
		a.printCase(a.stdout, r.Server)
	}
	revision := r.Revision
	if revision == "" {
		revision = "none"
	}
	_, err := fmt.Fprintf(a.stdout, "\n%d passed, %d failed, %d flaky, %d skipped; %s. Revision %s, %s of about %s.\n",
		r.Count(run.Passed), r.Count(run.Failed), r.Count(run.Flaky), r.Count(run.Skipped), view.Count(int64(r.Findings()), "finding"), revision,
		view.Count(int64(r.Tools), "tool"), view.Count(int64(r.ListTokens), "token"))
	for _, path := range paths {
		if err == nil {
			_, err = fmt.Fprintln(a.stdout, "Report:", path)
		}
	}
	return err
}
