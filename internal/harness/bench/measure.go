package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/stat"
	"example.org/bridge/internal/harness/suite"
)

// Options are the parameters of a measurement. Old is nil if there is nothing to compare
// with.
type Options struct {
	New, Old *suite.Suite
	Plan     []suite.Planned
	Blocks   int // each with a fresh process of each server
	Calls    int // of each case in each block
	// Progress, if not nil, is called with the number of finished blocks.
	Progress func(done int)
}

// Names of the series measured in addition to the cases.
const (
	StartName  = "(start)"
	MemoryName = "(memory)"
)

// Series holds the measurements of one case on one server. Blocks has one value per block,
// the median of its calls; Calls has the single calls. The unit is milliseconds, or MiB for
// memory.
type Series struct {
	Name   string
	Blocks []float64
	Calls  []float64
}

// Measured holds the measurements of one server: its start, its memory and each case.
type Measured struct {
	Revision string
	Series   []Series
}

// OnlyCases returns m without the start and the memory of the server.
func (m Measured) OnlyCases() Measured {
	m.Series = slices.DeleteFunc(slices.Clone(m.Series), func(s Series) bool { return s.Name == StartName || s.Name == MemoryName })
	return m
}

// Result is the result of a measurement. Found is why a case could not be measured, which
// ends the measurement.
type Result struct {
	New, Old Measured
	Found    []finding.Finding
}

// warmUp is the number of rounds at the beginning of a block that are not counted.
const warmUp = 2

// Measure runs the measurement. The error is a [wire.StartError], or the error of ctx.
func Measure(ctx context.Context, o Options) (Result, error) {
	m := &measurement{Options: o, order: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))} //nolint:gosec // no secret
	m.sides = append(m.sides, newSide(o.New, o.Plan))
	if o.Old != nil {
		m.sides = append(m.sides, newSide(o.Old, o.Plan))
	}
	for done := range o.Blocks {
		if err := m.block(ctx); err != nil || len(m.found) > 0 {
			return Result{Found: m.found}, err
		}
		if o.Progress != nil {
			o.Progress(done + 1)
		}
	}
	result := Result{New: m.sides[0].measured()}
	if o.Old != nil {
		result.Old = m.sides[1].measured()
	}
	return result, nil
}

type measurement struct {
	Options
	order *rand.Rand
	sides []*side
	found []finding.Finding
}

// block measures each case Calls times on a fresh process of each side.
func (m *measurement) block(ctx context.Context) error {
	for _, i := range m.order.Perm(len(m.sides)) {
		if err := m.sides[i].open(ctx); err != nil {
			m.end()
			return err
		}
	}
	defer m.end()
	for round := range warmUp + m.Calls {
		for at, p := range m.Plan {
			for _, i := range m.order.Perm(len(m.sides)) {
				if err := ctx.Err(); err != nil {
					return err
				}
				s := m.sides[i]
				took, found := s.caller.Case(ctx, p)
				if len(found) > 0 {
					m.found = append(m.found, s.failed(p, found)...)
					return nil
				}
				if round >= warmUp {
					s.calls[at] = append(s.calls[at], milliseconds(took))
				}
			}
		}
	}
	return nil
}

// end ends the servers of a block and stores the block's results.
func (m *measurement) end() {
	for _, s := range m.sides {
		s.end()
	}
}

// side is one of the measured servers.
type side struct {
	suite  *suite.Suite
	caller *run.Caller
	series []Series // start, memory, and the cases in the order of the plan
	calls  [][]float64
	cases  int

	revision string
}

func newSide(s *suite.Suite, plan []suite.Planned) *side {
	series := []Series{{Name: StartName}, {Name: MemoryName}}
	for _, p := range plan {
		series = append(series, Series{Name: p.ID})
	}
	return &side{suite: s, series: series, cases: len(plan)}
}

func (s *side) open(ctx context.Context) error {
	caller, err := run.NewCaller(ctx, s.suite)
	if err != nil {
		return err
	}
	s.caller, s.calls, s.revision = caller, make([][]float64, s.cases), caller.Revision()
	s.add(0, milliseconds(caller.StartTime()))
	return nil
}

func (s *side) end() {
	if s.caller == nil {
		return
	}
	if bytes := s.caller.Close(); bytes > 0 {
		s.add(1, float64(bytes)/(1<<20))
	}
	s.caller = nil
	for i, calls := range s.calls {
		if len(calls) == 0 {
			continue
		}
		one := &s.series[2+i]
		one.Blocks = append(one.Blocks, stat.Median(calls))
		one.Calls = append(one.Calls, calls...)
	}
}

// add stores a value that is measured once per block.
func (s *side) add(i int, value float64) {
	s.series[i].Blocks = append(s.series[i].Blocks, value)
	s.series[i].Calls = append(s.series[i].Calls, value)
}

// failed adds the name of the case to a finding.
func (s *side) failed(p suite.Planned, found []finding.Finding) []finding.Finding {
	for i := range found {
		where := p.ID
		if found[i].Where != "" {
			where += ", " + found[i].Where
		}
		found[i].Where = where
		found[i].Text = fmt.Sprintf("%s (%s: cannot be measured)", found[i].Text, s.suite.Server.Command)
	}
	return found
}

func (s *side) measured() Measured {
	m := Measured{Revision: s.revision}
	for _, one := range s.series {
		if len(one.Blocks) > 0 {
			m.Series = append(m.Series, one)
		}
	}
	return m
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
