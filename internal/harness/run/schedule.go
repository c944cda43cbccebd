package run

import (
	"context"
	"slices"
	"sync"

	"example.org/bridge/internal/harness/suite"
)

// schedule gives cases to workers as soon as their dependencies have passed. The first
// worker already has a server.
func (r *runner) schedule(ctx context.Context, first *worker, progress func(Outcome)) {
	jobs, done := make(chan suite.Planned), make(chan Outcome)
	workers := r.startWorkers(ctx, first, jobs, done)
	b := &board{plan: r.plan, outcomes: map[string]Outcome{}}
	tell := func(o Outcome) {
		b.outcomes[o.ID] = o
		if progress != nil {
			progress(o)
		}
	}
	for running := 0; ; {
		for _, o := range b.skipped(ctx.Err() != nil || r.suite.Global.FailFast && b.failed()) {
			tell(o)
		}
		next, ready := b.next()
		if !ready && running == 0 {
			break
		}
		offer := jobs
		if !ready {
			offer = nil
		}
		select {
		case offer <- next:
			b.taken = append(b.taken, next.ID)
			running++
		case o := <-done:
			running--
			tell(o)
		}
	}
	close(jobs)
	workers.Wait()
	for _, p := range r.plan {
		r.report.Cases = append(r.report.Cases, b.outcomes[p.ID])
	}
}

// startWorkers starts the workers, which end when jobs is closed.
func (r *runner) startWorkers(ctx context.Context, first *worker, jobs <-chan suite.Planned, done chan<- Outcome) *sync.WaitGroup {
	workers := new(sync.WaitGroup)
	for i := range min(r.suite.Global.MaxConcurrency, max(len(r.plan), 1)) {
		w := first
		if i > 0 {
			w = &worker{run: r}
		}
		workers.Go(func() {
			defer w.close()
			for p := range jobs {
				done <- w.do(ctx, p)
			}
		})
	}
	return workers
}

// board tracks which cases are done and which may start.
type board struct {
	plan     []suite.Planned
	taken    []string
	outcomes map[string]Outcome
}

// open returns the cases that have neither started nor been skipped.
func (b *board) open() []suite.Planned {
	return slices.DeleteFunc(slices.Clone(b.plan), func(p suite.Planned) bool {
		_, done := b.outcomes[p.ID]
		return done || slices.Contains(b.taken, p.ID)
	})
}

// next returns a case whose dependencies have all passed.
func (b *board) next() (suite.Planned, bool) {
	for _, p := range b.open() {
		if waits, blocked := b.dependencies(p); !waits && !blocked {
			return p, true
		}
	}
	return suite.Planned{}, false
}

// dependencies reports whether a case has to wait, and whether it can never start.
func (b *board) dependencies(p suite.Planned) (waits, blocked bool) {
	for _, other := range b.plan {
		if !slices.Contains(p.DependsOn, other.Base) {
			continue
		}
		o, done := b.outcomes[other.ID]
		waits = waits || !done
		blocked = blocked || done && o.State != Passed && o.State != Flaky
	}
	for _, on := range p.DependsOn { // the dependency is disabled
		if !slices.ContainsFunc(b.plan, func(other suite.Planned) bool { return other.Base == on }) {
			blocked = true
		}
	}
	return waits, blocked
}

// skipped returns the cases that will not run: if the run has ended all open ones, and
// otherwise those with failed dependencies.
func (b *board) skipped(end bool) (out []Outcome) {
	for grew := true; grew; {
		grew = false
		for _, p := range b.open() {
			_, blocked := b.dependencies(p)
			if !end && !blocked {
				continue
			}
			o := outcomeOf(p)
			o.State, o.Reason = Skipped, "a case it depends on did not pass"
			if end {
				o.Reason = "the run ended before it started"
			}
			b.outcomes[p.ID], grew = o, true
			out = append(out, o)
		}
	}
	return out
}

func (b *board) failed() bool {
	for _, o := range b.outcomes {
		if o.State == Failed {
			return true
		}
	}
	return false
}

func outcomeOf(p suite.Planned) Outcome {
	group := p.Base[:len(p.Base)-len(p.Case.Name)-1] // Base is group/name
	return Outcome{ID: p.ID, Suite: group, Name: p.ID[len(group)+1:], Tags: p.Tags}
}
