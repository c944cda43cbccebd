// Package service runs a suite periodically, and provides information about it over HTTP:
// metrics for Prometheus, health, the findings of the last run, and the reports. It handles
// the schedule and access control; the caller provides the run itself.
package service

import (
	"context"
	"sync"
	"time"
)

// Result is the result of one run. Times are those of its requests on the wire.
type Result struct {
	Started    time.Time      `json:"started"`
	Duration   time.Duration  `json:"duration_ns"`
	NotStarted bool           `json:"not_started"` // the server could not be started
	Passed     int            `json:"passed"`
	Failed     int            `json:"failed"`
	Flaky      int            `json:"flaky"`
	Skipped    int            `json:"skipped"`
	Findings   map[string]int `json:"findings"` // by kind
	StartTime  time.Duration  `json:"start_time_ns"`
	PeakMemory int64          `json:"peak_memory_bytes"`
	ListTokens int            `json:"list_tokens"`
	Reports    []string       `json:"reports"` // names of the report files
	// Problem describes a failure that is not the server's, such as a report that cannot be
	// written.
	Problem string          `json:"problem,omitempty"`
	Times   []time.Duration `json:"-"`
}

// Found returns the total number of findings.
func (r Result) Found() (n int) {
	for _, count := range r.Findings {
		n += count
	}
	return n
}

// Success is the fraction of the cases that ran that finally passed, from 0 to 1.
func (r Result) Success() float64 {
	if ran := r.Passed + r.Flaky + r.Failed; ran > 0 && !r.NotStarted {
		return float64(r.Passed+r.Flaky) / float64(ran)
	}
	return 0
}

// Options are the parameters of a service.
type Options struct {
	Every time.Duration // from the start of one run to the start of the next
	// Run runs the suite once. By is Scheduled, or the user who requested the run.
	Run func(ctx context.Context, by string) Result
	// Record writes an action to the audit log; nil for none.
	Record func(ctx context.Context, action string, details map[string]any) error
	// Baseline are 95th percentiles of earlier runs, in milliseconds. If nil, they are
	// learned from the first runs and passed to Learned.
	Baseline []float64
	Learned  func(p95 []float64) error
	Reports  string // folder of the reports; "" for none
	// Suite and Baselines return the content of /api/v1/suite and /api/v1/baselines.
	Suite     any
	Baselines func() (any, error)
	Access    Access
	// Warn reports a failure that does not stop the service.
	Warn func(error)
}

// Scheduled is the initiator of runs that no user requested.
const Scheduled = "schedule"

// Service is the schedule and the state of one suite.
type Service struct {
	Options
	asked   chan string // the user who requested a run
	refused refusals

	mu      sync.Mutex
	running bool
	next    time.Time
	sums    sums
}

// New returns a service that is not running yet.
func New(o Options) *Service {
	s := &Service{Options: o, asked: make(chan string, 1)}
	s.sums.baseline = o.Baseline
	return s
}

// Actions in the audit log.
const (
	ActionStart   = "harness_serve_start"
	ActionStop    = "harness_serve_stop"
	ActionRun     = "harness_serve_run"
	ActionView    = "harness_serve_view"
	ActionRefused = "harness_serve_refused"
)

// Keep runs the suite on schedule until ctx ends. A run in progress then ends early and is
// not counted.
func (s *Service) Keep(ctx context.Context) {
	s.record(ctx, ActionStart, map[string]any{"every_seconds": s.Every.Seconds()})
	defer s.record(context.WithoutCancel(ctx), ActionStop, map[string]any{})
	for by := Scheduled; ; {
		start := time.Now()
		s.once(ctx, by)
		s.mu.Lock()
		s.next = start.Add(s.Every)
		s.mu.Unlock()
		timer := time.NewTimer(time.Until(start.Add(s.Every)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			by = Scheduled
		case by = <-s.asked:
			timer.Stop()
		}
	}
}

// once makes one run and adds it to the sums.
func (s *Service) once(ctx context.Context, by string) {
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	result := s.Run(ctx, by)
	s.mu.Lock()
	s.running = false
	ended := ctx.Err() != nil
	var learned []float64
	if !ended {
		learned = s.sums.add(result)
	}
	s.mu.Unlock()
	if ended {
		return
	}
	s.record(ctx, ActionRun, map[string]any{"by": by, "findings": result.Found(), "cases": result.Passed + result.Failed + result.Flaky, "started": !result.NotStarted})
	if learned != nil && s.Learned != nil {
		s.warn(s.Learned(learned))
	}
}

// Ask requests a run as soon as the current one is finished. It returns false if one has
// already been requested.
func (s *Service) Ask(by string) bool {
	select {
	case s.asked <- by:
		return true
	default:
		return false
	}
}

func (s *Service) record(ctx context.Context, action string, details map[string]any) {
	if s.Record != nil {
		s.warn(s.Record(ctx, action, details))
	}
}

func (s *Service) warn(err error) {
	if err != nil && s.Warn != nil {
		s.Warn(err)
	}
}
