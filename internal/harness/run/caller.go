package run

import (
	"context"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// Caller runs single cases on a server that it keeps running, and measures how long they
// take.
type Caller struct{ worker *worker }

// NewCaller starts the server of a suite. The error is a [wire.StartError] that contains no
// secrets of the suite.
func NewCaller(ctx context.Context, s *suite.Suite) (*Caller, error) {
	w := &worker{run: newRunner(s)}
	if err := w.open(ctx); err != nil {
		hide := w.run.hide
		return nil, &wire.StartError{Reason: hide.text(err.Reason), Findings: hide.findings(err.Findings)}
	}
	w.run.inspect(ctx, w)
	w.conn.Exchanges() // they belong to no case
	return &Caller{w}, nil
}

// Revision returns the negotiated revision.
func (c *Caller) Revision() string { return c.worker.run.report.Revision }

// StartTime returns the time from the start to the end of the handshake.
func (c *Caller) StartTime() time.Duration { return c.worker.run.report.StartTime }

// Case runs a case once. Took is the time of its requests on the wire (of the first 50),
// without the time for judging them; it is not valid if there are findings. A server that
// broke is ended, and the next case gets a new one.
func (c *Caller) Case(ctx context.Context, p suite.Planned) (took time.Duration, found []finding.Finding) {
	found, traffic := c.worker.attempt(ctx, p)
	for _, e := range traffic {
		took += e.Duration
	}
	return took, c.worker.run.hide.findings(found)
}

// Close ends the server and returns its peak resident memory in bytes, or 0 if it is not
// known.
func (c *Caller) Close() int64 {
	c.worker.end()
	return c.worker.run.report.PeakMemory
}
