package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// Options are the parameters of a run. Progress, if not nil, is called for each finished
// case, by one goroutine at a time.
type Options struct {
	Suite    *suite.Suite
	Plan     []suite.Planned
	Progress func(Outcome)
	// Contract is the contract to compare the server with; nil for none.
	Contract *contract.Snapshot
}

// runner is one run.
type runner struct {
	suite  *suite.Suite
	plan   []suite.Planned
	target wire.Target
	hide   hider
	tools  contract.Tools

	mu     sync.Mutex
	report *Report
}

// Run runs the plan. When ctx ends, no further case starts and the remaining ones are
// reported as skipped. All started servers are ended in any case.
func Run(ctx context.Context, o Options) *Report {
	started := time.Now()
	r := newRunner(o.Suite)
	r.plan, r.report.Started = o.Plan, started.UTC()
	w := &worker{run: r}
	if err := w.open(ctx); err != nil {
		r.report.NotStarted = true
		r.findServer(err.Findings)
	} else {
		r.inspect(ctx, w)
		if o.Contract != nil {
			r.compare(ctx, w.conn, o.Contract)
		}
		r.schedule(ctx, w, o.Progress)
	}
	r.finish(started)
	return r.report
}

func newRunner(s *suite.Suite) *runner {
	return &runner{suite: s, target: targetOf(s), hide: newHider(s.Server), report: &Report{
		Suite: s.Path, Environment: s.Global.Environment,
		Server: Outcome{ID: "server", Suite: "server", Name: "server", State: Passed, Attempts: 1},
	}}
}

// targetOf returns how to reach the server of a suite.
func targetOf(s *suite.Suite) wire.Target {
	t := wire.Target{
		URL: s.Server.URL, Headers: s.Server.Headers, Revision: s.Server.Protocol,
		StartTimeout: seconds(s.Server.StartTimeoutSeconds),
	}
	if t.Revision == "auto" {
		t.Revision = ""
	}
	if s.Server.Command == "" {
		return t
	}
	folder := filepath.Dir(s.Path)
	command := s.Server.Command
	if filepath.Base(command) != command && !filepath.IsAbs(command) { // ./server is relative to the suite
		command = filepath.Join(folder, command)
		if absolute, err := filepath.Abs(command); err == nil {
			command = absolute
		}
	}
	if s.Server.WorkingDir != "" {
		folder = s.Server.WorkingDir
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(filepath.Dir(s.Path), folder)
		}
	}
	t.Process = process.Spec{Command: append([]string{command}, s.Server.Args...), Dir: folder, Env: s.Server.Env}
	return t
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// inspect reads the promises of the server, before any case.
func (r *runner) inspect(ctx context.Context, w *worker) {
	c := w.conn
	r.report.Revision, r.report.ServerInfo, r.report.StartTime = c.Revision, r.hide.raw(c.ServerInfo), c.StartTime
	var capabilities map[string]json.RawMessage
	_ = json.Unmarshal(c.Capabilities, &capabilities)
	if capabilities["tools"] == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seconds(r.suite.Global.TimeoutSeconds))
	defer cancel()
	list, err := c.List(ctx, "tools/list", "tools")
	if remote := new(wire.RemoteError); errors.As(err, &remote) {
		r.findServer([]finding.Finding{{Kind: finding.BadList, Text: "the server offers tools, but answers tools/list with an error"}})
	}
	tools, found := contract.CheckTools(list)
	r.tools, r.report.Tools, r.report.ListTokens = tools, len(list), contract.Tokens(list)
	found = append(found, overBudget(r.suite, r.report.ListTokens)...)
	r.findServer(append(c.Findings(), found...))
}

// findServer adds findings that belong to no case.
func (r *runner) findServer(found []finding.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Server.Findings = append(r.report.Server.Findings, r.hide.findings(found)...)
	if len(r.report.Server.Findings) > 0 {
		r.report.Server.State = Failed
	}
}

func (r *runner) finish(started time.Time) {
	r.report.Duration = time.Since(started)
	if limit := int64(r.suite.Global.Limits.MaxMemoryMB) << 20; limit > 0 && r.report.PeakMemory > limit {
		r.findServer([]finding.Finding{{Kind: finding.Memory, Text: fmt.Sprintf("the server took %d MB; the suite allows %d", r.report.PeakMemory>>20, limit>>20)}})
	}
}
