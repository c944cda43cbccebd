package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/harness/bench"
	"example.org/bridge/internal/harness/service"
	"example.org/bridge/internal/harness/suite"
)

func newHarnessServeCmd(a *app) *cobra.Command {
	var o suiteOptions
	cmd := &cobra.Command{
		Use:   "serve SUITE",
		Short: "Run a suite on a schedule and serve its metrics",
		Long: `Run a suite repeatedly, at the interval monitoring.interval_seconds of the suite
(default 900), and serve the results over HTTP until you press Ctrl-C: metrics for
Prometheus on monitoring.metrics_port (default 9090); health, the last result and the
reports on monitoring.health_check_port (default 8080). Reports are written and failures
reported as in bridge harness run.

It listens on 127.0.0.1. With roles and keys (security.rbac) and TLS (security.tls) it
can listen on another address. With security.enable_audit_logging its actions are
recorded in bridge's audit log. deploy/prometheus and deploy/grafana have rules and a
dashboard; docs/harness.md lists the addresses.`,
		Example: `  bridge harness serve suite.yaml
  curl http://127.0.0.1:8080/api/v1/status`,
		Args: a.oneSuite,
		RunE: func(cmd *cobra.Command, args []string) error { return a.serveHarness(cmd.Context(), o, args[0]) },
	}
	o.register(cmd)
	return cmd
}

func (a *app) serveHarness(ctx context.Context, o suiteOptions, path string) error {
	s, plan, err := o.load(a, path)
	if err != nil {
		return err
	}
	if on := s.Monitoring.Enabled; on != nil && !*on {
		return a.badSuite(errors.New("monitoring.enabled of the suite is false: set it to true, or use `bridge harness run`"))
	}
	runner, err := a.newServiceRunner(s, plan)
	if err != nil {
		return err
	}
	options := service.Options{
		Every: time.Duration(s.Monitoring.IntervalSeconds * float64(time.Second)), Run: runner.run,
		Suite: casesOf(plan), Baselines: func() (any, error) { return bench.Load(baselineFolder(s)) },
		Warn: func(err error) { a.log().Warn("harness service", "error", err) },
	}
	if s.Reporting.OutputDir != "" {
		options.Reports = s.Beside(s.Reporting.OutputDir)
	}
	places := service.Places{Host: s.Monitoring.Listen, Metrics: *s.Monitoring.MetricsPort, Health: *s.Monitoring.HealthPort}
	if options.Access, places.TLS, err = protection(s); err != nil {
		return a.badSuite(err)
	}
	if err := a.serviceBaseline(s, &options); err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withRecord(ctx, s, &options, func() error { return a.keepService(ctx, options, places) })
}

func (a *app) keepService(ctx context.Context, o service.Options, places service.Places) error {
	l, err := places.Listen(ctx, o.Access)
	switch {
	case errors.Is(err, service.ErrExposed):
		return a.badSuite(fmt.Errorf("monitoring.listen: %w", err))
	case err != nil:
		return fmt.Errorf("cannot listen: %w", err)
	}
	a.announce("metrics at port %s, health and reports at port %s", portOf(l.Metrics), portOf(l.Health))
	a.log().Info("harness service", "metrics", l.Metrics.Addr().String(), "health", l.Health.Addr().String(), "tls", places.TLS != nil)
	return a.ended(ctx, service.New(o).Serve(ctx, l))
}

// protection reads the files with roles and TLS settings that a suite names.
func protection(s *suite.Suite) (access service.Access, settings *tls.Config, err error) {
	if p := s.Security.RBAC; p.Enabled {
		if access, err = service.LoadAccess(s.Beside(p.ConfigFile)); err != nil {
			return access, nil, err
		}
	}
	if p := s.Security.TLS; p.Enabled {
		settings, err = service.LoadTLS(s.Beside(p.ConfigFile))
	}
	return access, settings, err
}

// serviceBaseline is the name under which the service stores the usual times of its
// runs.
const serviceBaseline = "(service)"

// serviceBaseline reads the times of earlier runs on this machine, and lets the service
// save new ones.
func (a *app) serviceBaseline(s *suite.Suite, o *service.Options) error {
	folder := baselineFolder(s)
	all, err := bench.Load(folder)
	if err != nil {
		return a.badSuite(err)
	}
	for _, b := range all {
		if b.Case == serviceBaseline && b.Machine == bench.ThisMachine() && len(b.ResponseTimes) > 0 {
			o.Baseline = b.ResponseTimes
		}
	}
	o.Learned = func(p95 []float64) error {
		return bench.Save(folder, []bench.Baseline{{Case: serviceBaseline, ResponseTimes: p95, Measured: a.now().UTC().Truncate(time.Second), Machine: bench.ThisMachine()}})
	}
	return nil
}

// withRecord opens the store for the audit log if the suite asks for that.
func (a *app) withRecord(ctx context.Context, s *suite.Suite, o *service.Options, do func() error) (err error) {
	if !s.Security.Audit {
		return do()
	}
	store, err := a.openOrMake(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	o.Record = func(ctx context.Context, action string, details map[string]any) error {
		return store.RecordOperation(ctx, bridge.Operation{Now: store.now(), Actor: bridge.Operator, Action: action, Details: details})
	}
	return do()
}
