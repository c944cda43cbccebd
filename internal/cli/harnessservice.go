package cli

import (
	"context"
	"net"
	"path/filepath"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/service"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/redact"
)

// serviceRunner performs the runs of a service.
type serviceRunner struct {
	app      *app
	suite    *suite.Suite
	plan     []suite.Planned
	engine   *redact.Engine
	contract *contract.Snapshot
}

func (a *app) newServiceRunner(s *suite.Suite, plan []suite.Planned) (*serviceRunner, error) {
	engine, err := a.redactor()
	if err != nil {
		return nil, err
	}
	promised, err := a.promised(s)
	if err != nil {
		return nil, err
	}
	return &serviceRunner{a, s, plan, engine, promised}, nil
}

// run runs the suite once, writes the reports and sends notifications of a failure.
func (s *serviceRunner) run(ctx context.Context, by string) service.Result {
	r := run.Run(ctx, run.Options{Suite: s.suite, Plan: s.plan, Contract: s.contract})
	result := resultOf(r)
	if ctx.Err() != nil {
		return result // it is incomplete
	}
	report.Clean(r, s.engine)
	paths, err := s.app.writeReports(r, s.suite, harnessRunOptions{})
	if err != nil {
		result.Problem = "the reports could not be written: the log says why"
		s.app.log().Warn("harness service", "error", err)
	}
	for _, path := range paths {
		result.Reports = append(result.Reports, filepath.Base(path))
	}
	s.app.tellOfRun(ctx, r, s.suite)
	s.app.log().Info("harness run", "by", by, "findings", r.Findings(), "passed", r.Count(run.Passed), "failed", r.Count(run.Failed), "took", r.Duration.Round(time.Millisecond))
	return result
}

// resultOf returns what a service reports about a run.
func resultOf(r *run.Report) service.Result {
	result := service.Result{
		Started: r.Started, Duration: r.Duration, NotStarted: r.NotStarted,
		Passed: r.Count(run.Passed), Failed: r.Count(run.Failed), Flaky: r.Count(run.Flaky), Skipped: r.Count(run.Skipped),
		Findings: map[string]int{}, StartTime: r.StartTime, PeakMemory: r.PeakMemory, ListTokens: r.ListTokens, Reports: []string{},
	}
	for _, o := range append([]run.Outcome{r.Server}, r.Cases...) {
		for _, f := range o.Findings {
			result.Findings[string(f.Kind)]++
		}
		for _, e := range o.Exchanges {
			result.Times = append(result.Times, e.Duration)
		}
	}
	return result
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
