// Package bench measures the bridge under real conditions: real processes, real MCP, and a
// temporary store. The operator's store and configuration are never read.
//
//	bench.go     Run, and the table of measurements
//	place.go     the place of a measurement; agent.go the measured clients
//	report.go    the result of a run; compare.go the comparison of two
//
// All times are measured by this process, so they include the time that an MCP client in Go
// takes to write a request and to read the answer.
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

// Settings are the parameters of a run. They are part of its report.
type Settings struct {
	// Only lists the measurements to make, by the names in Measurements; empty means all.
	Only []string `json:"only,omitempty"`
	// Samples is how many times each single operation is measured, and WarmUp how many
	// times it is done before that without being measured.
	Samples int `json:"samples"`
	WarmUp  int `json:"warm_up"`
	// Duration is the length of the measurements that run for a given time: pairs, the idle
	// watch and heartbeats.
	Duration time.Duration `json:"duration_ns"`
	// Pairs are the numbers of pairs of agents that work concurrently.
	Pairs []int `json:"pairs"`
	// Growth are the numbers of messages in the store at which send and check are measured,
	// in ascending order.
	Growth []int `json:"growth"`
	// Beat is the time between two heartbeats.
	Beat time.Duration `json:"beat_ns"`
	// Silence is the age of a silent worker's last heartbeat, and Look the time between two
	// checks of the watchdog.
	Silence time.Duration `json:"silence_ns"`
	Look    time.Duration `json:"look_ns"`
	// Seed determines the lengths and words of messages, and the pauses.
	Seed uint64 `json:"seed"`
}

// Limits for the times in Settings.
const (
	MaxDuration = 24 * time.Hour
	MinBeat     = 100 * time.Millisecond
)

// Options are what Run needs.
type Options struct {
	Settings
	// Program is the path of bridge, and Version its version.
	Program, Version string
	// Dir is the folder in which the temporary store is created; empty means the system's
	// folder for temporary files.
	Dir string
	// Open opens a service on a temporary store, to fill it quickly.
	Open func(ctx context.Context, db string) (*bridge.Service, io.Closer, error)
	Log  *slog.Logger
}

// measurement is one of the measurements that Run makes.
type measurement struct {
	name, about string
	do          func(context.Context, *run) error
}

// measurements are in the order in which they are made. The one that fills the disk is
// last.
var measurements = []measurement{
	{"start", "start of a process until its first answer, on an existing store", measureStart},
	{"memory", "memory of idle processes", measureMemory},
	{"send", "send_to_partner as seen by its client", measureSend},
	{"check", "check_messages, with and without mail", measureCheck},
	{"delivery", "delivery of a message to a waiting client", measureDelivery},
	{"pairs", "pairs of agents that send and check concurrently", measurePairs},
	{"watch", "bridge inbox --follow: from the commit to the line, and its CPU time", measureWatch},
	{"keepalive", "bridge fleet keepalive: heartbeats due, and heartbeats given", measureBeats},
	{"watchdog", "killing a worker: until its orchestrator knows and another has its task", measureWatchdog},
	{"growth", "send and check in a store with many messages", measureGrowth},
}

// Measurements returns the names of all measurements, each with a description.
func Measurements() (names, about []string) {
	for _, m := range measurements {
		names, about = append(names, m.name), append(about, m.about)
	}
	return names, about
}

// run is a run in progress.
type run struct {
	Options
	texts   *texts
	figures []Figure
}

// Run makes the measurements. If ctx ends early it returns its error and no report, because
// an incomplete run cannot be compared.
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

// sample calls fn repeatedly and returns the times that it returned, without those of the
// warm-up.
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

// sized returns the name of a figure for a given size.
func sized(name string, size int) string { return fmt.Sprintf("%s/%d", name, size) }

// Check returns an error if the settings are not valid.
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
		return fmt.Errorf("the time between two heartbeats must be at least %s, and at most the duration", MinBeat)
	case s.Look < MinBeat || s.Silence < 10*MinBeat || s.Silence > MaxDuration:
		return fmt.Errorf("the silence must be %s to %s, and the time between two checks at least %s", 10*MinBeat, MaxDuration, MinBeat)
	}
	return s.checkGrowth()
}

// checkGrowth makes sure that the messages sent while measuring at one number of messages
// do not exceed the next number.
func (s Settings) checkGrowth() error {
	sizes := slices.Sorted(slices.Values(s.Growth))
	for i := 1; i < len(sizes); i++ {
		if added := s.WarmUp + s.Samples; sizes[i]-sizes[i-1] < added {
			return fmt.Errorf("the numbers of messages must be at least %d apart, which is how many are sent while measuring", added)
		}
	}
	return nil
}
