package run

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
	"example.org/bridge/internal/sleep"
)

// worker runs cases on its own server.
type worker struct {
	run  *runner
	conn *wire.Conn
}

// open starts a server if there is none.
func (w *worker) open(ctx context.Context) *wire.StartError {
	if w.conn != nil {
		return nil
	}
	conn, err := wire.Open(ctx, w.run.target)
	if start := new(wire.StartError); errors.As(err, &start) {
		return start
	}
	w.conn = conn
	return nil
}

// close ends the server. Faults at its end are findings of the server.
func (w *worker) close() { w.run.findServer(w.end()) }

func (w *worker) end() []finding.Finding {
	if w.conn == nil {
		return nil
	}
	ending := w.conn.Close()
	found := w.conn.Findings()
	w.conn = nil
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	w.run.report.PeakMemory = max(w.run.report.PeakMemory, ending.PeakResidentBytes)
	return found
}

// do runs one case, and repeats it if it failed and the suite asks for that.
func (w *worker) do(ctx context.Context, p suite.Planned) Outcome {
	o, start := outcomeOf(p), time.Now()
	retry := w.run.suite.Global.Retry
	most := retry.Max
	if p.Case.Retries != nil {
		most = *p.Case.Retries
	}
	var first []finding.Finding
	for o.Attempts = 1; ; o.Attempts++ {
		o.Findings, o.Exchanges = w.attempt(ctx, p)
		if len(o.Findings) == 0 || o.Attempts > most || !retryable(retry, o.Findings) || !pause(ctx, retry, o.Attempts) {
			break
		}
		if first == nil {
			first = o.Findings
		}
	}
	o.Duration = time.Since(start)
	switch {
	case len(o.Findings) > 0:
		o.State = Failed
	case first != nil:
		o.State = Flaky
		o.Findings = []finding.Finding{{Kind: finding.Flaky, Text: fmt.Sprintf("passed at attempt %d; the first attempt failed: %s: %s", o.Attempts, first[0].Kind, first[0].Text)}}
	default:
		o.State = Passed
	}
	o.Findings, o.Exchanges = w.run.hide.findings(o.Findings), w.run.hide.exchanges(o.Exchanges)
	return o
}

// retryable reports whether the suite asks to repeat cases with this failure.
func retryable(r suite.Retry, found []finding.Finding) bool {
	for _, pattern := range r.Patterns {
		re := regexp.MustCompile(pattern) // it was checked when the suite was loaded
		for _, f := range found {
			if re.MatchString(f.Text) {
				return true
			}
		}
	}
	return len(r.Patterns) == 0
}

const longestPause = time.Minute

// pause waits before the next attempt. It returns false if the run ends in the meantime.
func pause(ctx context.Context, r suite.Retry, attempt int) bool {
	d := time.Duration(r.DelayMS) * time.Millisecond
	if r.Exponential {
		d <<= min(attempt-1, 16)
	}
	return sleep.For(ctx, min(d, longestPause)) == nil
}

// attempt runs a case once. A server that broke is ended, and its end is attributed to that
// case.
func (w *worker) attempt(ctx context.Context, p suite.Planned) ([]finding.Finding, []wire.Exchange) {
	if err := w.open(ctx); err != nil {
		return err.Findings, nil
	}
	found := w.steps(ctx, p)
	found = append(w.conn.Findings(), found...)
	traffic := w.conn.Exchanges()
	if w.conn.Broken() {
		found = append(found, w.end()...)
	}
	return found, traffic
}

// steps makes the requests of a case until one fails.
func (w *worker) steps(ctx context.Context, p suite.Planned) []finding.Finding {
	values := map[string]any{}
	for row, value := range p.Cell {
		values["matrix."+row] = value
	}
	steps := p.Case.Steps
	if len(steps) == 0 {
		steps = []suite.NamedStep{{Step: p.Case.Step}}
	}
	limit := w.run.suite.Global.TimeoutSeconds
	if p.Case.TimeoutSeconds > 0 {
		limit = p.Case.TimeoutSeconds
	}
	for i, s := range steps {
		if found := w.step(ctx, s.Step, seconds(limit), values); len(found) > 0 {
			for j := range found {
				found[j].Where = place(p, s, i, found[j].Where)
			}
			return found
		}
		if w.conn.Broken() {
			return nil
		}
	}
	return nil
}

// place adds the name of the step to a finding, if a case has several steps.
func place(p suite.Planned, s suite.NamedStep, i int, where string) string {
	if len(p.Case.Steps) == 0 {
		return where
	}
	name := s.Name
	if name == "" {
		name = fmt.Sprint(i + 1)
	}
	if where == "" {
		return "step " + name
	}
	return "step " + name + ", " + where
}
