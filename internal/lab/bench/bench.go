// Package bench measures the bridge as its users meet it: real processes, real
// MCP, and a store of its own that is removed afterwards. The operator's store
// and configuration are never read.
//
//	bench.go     Run, and the table of measurements
//	place.go     where something is measured; agent.go who does it
//	report.go    what a run results in; compare.go two of them
//
// All times are taken by this process: what it costs an MCP client in Go to write
// a request and to read the answer is part of them.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
)

// Settings are what a run can be told. They are part of its report.
type Settings struct {
	// Only names the measurements, of those in Measurements; none means all.
	Only []string `json:"only,omitempty"`
	// Samples is how often each single thing is measured, and WarmUp how often it
	// is done before that without being measured.
	Samples int `json:"samples"`
	WarmUp  int `json:"warm_up"`
	// Duration is how long those take that run for a time: pairs, the idle watch
	// and heartbeats.
	Duration time.Duration `json:"duration_ns"`
	// Pairs are the numbers of pairs of agents that work at once.
	Pairs []int `json:"pairs"`
	// Growth are the numbers of messages in the store among which send and check
	// are measured, in rising order.
	Growth []int `json:"growth"`
	// Beat is the time between two heartbeats.
	Beat time.Duration `json:"beat_ns"`
	// Silence is how old the last heartbeat of a silent worker is, and Look the
	// time between two checks of the watchdog.
	Silence time.Duration `json:"silence_ns"`
	Look    time.Duration `json:"look_ns"`
	// Seed decides about the messages' lengths and words, and about pauses.
	Seed uint64 `json:"seed"`
}

// Bounds of the times in Settings.
const (
	MaxDuration = 24 * time.Hour
	MinBeat     = 100 * time.Millisecond
)

// Options are what Run needs.
type Options struct {
	Settings
	// Program is the path of bridge, and Version what it calls itself.
	Program, Version string
	// Dir is the folder in which the temporary store is made; empty means the
	// system's for temporary files.
	Dir string
	// Open opens a service on a store that is thrown away, to fill it quickly.
	Open func(ctx context.Context, db string) (*bridge.Service, io.Closer, error)
	Log  *slog.Logger
}

// measurement is one of the things that Run measures.
type measurement struct {
	name, about string
	do          func(context.Context, *run) error
}

// measurements are in the order in which they are done. The one that fills the
// disk is last.
var measurements = []measurement{
	{"start", "a process from its start to its first answer, on a store that is there", measureStart},
	{"memory", "what idle processes have in memory", measureMemory},
	{"send", "send_to_partner as its client sees it", measureSend},
	{"check", "check_messages, with and without mail", measureCheck},
	{"delivery", "a message on its way to a client that waits for it", measureDelivery},
	{"pairs", "pairs of agents that send and check at once", measurePairs},
	{"watch", "bridge inbox --follow: from the commit to the line, and its CPU time", measureWatch},
	{"keepalive", "bridge fleet keepalive: heartbeats that were due, and those that came", measureBeats},
	{"watchdog", "a worker is killed: until its orchestrator knows, and another has its task", measureWatchdog},
	{"growth", "send and check among many messages", measureGrowth},
}

// Measurements returns the names of all measurements, each with what it is.
func Measurements() (names, about []string) {
	for _, m := range measurements {
		names, about = append(names, m.name), append(about, m.about)
	}
	return names, about
}

// run is a run under way.
type run struct {
	Options
	texts   *texts
	figures []Figure
}

// Run measures. Where ctx ends early it returns its error and no report: half a
// run is not compared with anything.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{Options: o, texts: newTexts(o.Seed)}
	dir := o.Dir
	if dir == "" {
		dir = os.TempDir()
	}
	report := Report{Format: Format, At: time.Now().UTC(), Settings: o.Settings, Machine: rig.ReadMachine(ctx, dir, o.Version)}
	for _, m := range measurements {
		if len(o.Only) > 0 && !slices.Contains(o.Only, m.name) {
			continue
		}
		o.Log.Info("measuring", "what", m.name)
		if err := m.do(ctx, r); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return Report{}, fmt.Errorf("measure %s: %w", m.name, err)
		}
	}
	report.Figures, report.LoadAfter = r.figures, rig.ReadMachine(ctx, dir, o.Version).Load
	return report, nil
}

func (r *run) add(f ...Figure) { r.figures = append(r.figures, f...) }

// sample does what fn does, and returns the times that it returned, without
// those of the warm-up.
func (r *run) sample(ctx context.Context, fn func(context.Context) (time.Duration, error)) ([]time.Duration, error) {
	taken := make([]time.Duration, 0, r.Samples)
	for i := range r.WarmUp + r.Samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		if i >= r.WarmUp {
			taken = append(taken, d)
		}
	}
	return taken, nil
}

// sized is a figure's name with the size that belongs to it.
func sized(name string, size int) string { return fmt.Sprintf("%s/%d", name, size) }

// Check says what is wrong with settings, in words for those who gave them.
func (s Settings) Check() error {
	names, _ := Measurements()
	for _, name := range s.Only {
		if !slices.Contains(names, name) {
			return errors.New("the measurements are " + strings.Join(names, ", "))
		}
	}
	switch {
	case s.Samples < 1 || s.WarmUp < 0:
		return errors.New("at least one sample has to be taken")
	case s.Duration <= 0 || s.Duration > MaxDuration:
		return fmt.Errorf("the duration must be more than 0 and at most %s", MaxDuration)
	case s.Beat < MinBeat || s.Beat > s.Duration:
		return fmt.Errorf("the time between two heartbeats must be %s at least, and no longer than the duration", MinBeat)
	case s.Look < MinBeat || s.Silence < 10*MinBeat || s.Silence > MaxDuration:
		return fmt.Errorf("a silence must be %s to %s, and two looks must be %s apart at least", 10*MinBeat, MaxDuration, MinBeat)
	}
	return s.checkGrowth()
}

// checkGrowth makes sure that what is sent to measure among one number of
// messages does not exceed the next.
func (s Settings) checkGrowth() error {
	sizes := slices.Sorted(slices.Values(s.Growth))
	for i := 1; i < len(sizes); i++ {
		if added := s.WarmUp + s.Samples; sizes[i]-sizes[i-1] < added {
			return fmt.Errorf("the numbers of messages must be %d apart at least, which is how many are sent to measure", added)
		}
	}
	return nil
}
