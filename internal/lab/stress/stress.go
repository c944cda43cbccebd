// Package stress lets many agents, each with a real bridge process, communicate through one
// store over real MCP, and kills some of them. Afterwards it verifies, from what the agents
// saw, that nothing was lost, duplicated, reordered, altered or missing in the audit log.
// It uses a temporary store; the operator's store is never touched.
//
//	stress.go   Run: set up, run, drain, judge
//	preset.go   named settings; s2.go, s2_basics.go and s2_watch.go the S2 protocol
//	plan.go     who talks to whom, and when; join.go how they join
//	stage.go    the store, gateways, and the machines of the agents
//	agents.go   agents and gateways that are killed and started again
//	talk.go     what a session sends and reads; letter.go to whom; tasks.go its tasks
//	work.go     how sessions edit and claim files; copy.go a session's copy of a file
//	ledger.go   what the sessions saw; sharedledger.go of files and claims
//	judge.go    the rules, as pure functions, so that tests can make them fail; judgework.go those
//	            of files and claims
//	evidence.go the output of the operator's commands after the run
//	report.go   the result
package stress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// Options are what Run needs.
type Options struct {
	Settings
	// Program is the path of bridge, and Version its version.
	Program, Version string
	// DSN is the connection string of a PostgreSQL database in which a store is created;
	// empty means a store in a file. The schema must contain nothing else.
	DSN string
	// Dir is the folder in which the temporary store is created; empty means the system's
	// folder for temporary files.
	Dir string
	// Host is the address on which gateways listen; empty means loopback. Enter is a
	// program that runs each command of a machine that only connects. Its arguments are the
	// machine's number, from 1 on, and the command, by which it must replace itself (exec).
	// If empty, commands are run directly.
	Host, Enter string
	// Progress, if set, is called a few times per second.
	Progress func(Progress)
	Log      *slog.Logger
}

// Progress describes how far a run is.
type Progress struct {
	Elapsed               time.Duration
	Sent, Received, Ended int64 // messages acknowledged, messages delivered, tasks ended
	Edits, Claims         int64 // accepted edits and claims
	Kills                 int64
}

// run is a run in progress.
type run struct {
	Options
	*ledger
	place    *stage
	members  []*member
	sessions []*session
	begin    time.Time
	sending  chan struct{} // closed when everything was sent
}

// Run makes a run with the settings and judges it. The error is about the run itself;
// faults of bridge are in the report's violations.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	if err := o.Check(); err != nil {
		return Report{}, err
	}
	if o.Preset == PresetS2 {
		return runS2(ctx, o)
	}
	r := &run{Options: o, ledger: newLedger(), sending: make(chan struct{})}
	if r.place, err = newStage(ctx, o, o.environment()...); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, r.place.close()) }()
	machine := r.place.describe(ctx, o.Version)
	defer func() { err = errors.Join(err, r.dismiss()) }()
	if err := r.startAll(ctx); err != nil {
		return Report{}, fmt.Errorf("start the agents: %w", err)
	}
	if err := r.work(ctx); err != nil {
		return Report{}, err
	}
	return r.judge(ctx, machine)
}

// environment returns the settings of all processes.
func (o Options) environment() (env []string) {
	if !o.Limits {
		env = rig.Unlimited
	}
	if o.Preset == PresetSharedWork {
		env = append(slices.Clone(env), "BRIDGE_SERVE_TOOLS=core,tasks,files")
	}
	return env
}

// work lets the sessions communicate until everything is sent and read.
func (r *run) work(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.begin = time.Now()
	var senders, others, beside sync.WaitGroup
	start := func(group *sync.WaitGroup, what func(context.Context) error) {
		group.Go(func() {
			if err := what(ctx); err != nil {
				stop(err)
			}
		})
	}
	for _, s := range r.sessions {
		if r.Preset == PresetSharedWork {
			start(&senders, s.shareWork)
			continue
		}
		start(&senders, s.sendAll)
		start(&senders, s.assignAll)
		start(&others, s.readAll)
		start(&others, s.workAll)
	}
	start(&beside, r.killSome)
	start(&beside, r.tellProgress)
	senders.Wait()
	close(r.sending)
	others.Wait()
	if context.Cause(ctx) == nil && r.Preset != PresetSharedWork {
		if err := r.listTasks(ctx); err != nil {
			stop(err)
		}
	}
	r.note(func(l *ledger) { l.elapsed = time.Since(r.begin) })
	cause := context.Cause(ctx)
	stop(nil)
	beside.Wait()
	return cause
}

// tellProgress calls Progress until the run ends.
func (r *run) tellProgress(ctx context.Context) error {
	if r.Progress == nil {
		return nil
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.Progress(r.progress(time.Since(r.begin)))
		}
	}
}

// judge runs the operator's commands, and applies the rules.
func (r *run) judge(ctx context.Context, machine rig.Machine) (Report, error) {
	if err := r.dismiss(); err != nil {
		return Report{}, err
	}
	e, err := gather(ctx, r.place.Place)
	if err != nil {
		return Report{}, fmt.Errorf("read the results of the run: %w", err)
	}
	if err := r.gatherShared(ctx); err != nil {
		return Report{}, fmt.Errorf("read the files and claims after the run: %w", err)
	}
	report := r.report(machine, e)
	report.Violations = append(append([]Violation{}, r.violations(e)...), e.violations()...)
	if r.place.onServer() {
		return report, nil
	}
	info, err := os.Stat(r.place.DB)
	if err != nil {
		return Report{}, err
	}
	report.StoreBytes = info.Size()
	return report, nil
}
