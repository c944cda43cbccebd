package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// Format is the version of the report's JSON. It is increased when the meaning of a field
// changes, so that figures are only compared with the same kind of figure.
const Format = 1

// maxReport is the maximum size of a report that ReadReport reads, in bytes. A report has
// about 10 KB.
const maxReport = 4 << 20

// Report is the result of a run.
type Report struct {
	Format  int         `json:"format"`
	At      time.Time   `json:"at"`
	Machine rig.Machine `json:"machine"`
	// LoadAfter is Machine.Load at the end of the run. Other load on the machine makes
	// figures worse, tails most of all.
	LoadAfter float64  `json:"load_after"`
	Settings  Settings `json:"settings"`
	Figures   []Figure `json:"figures"`
}

// Figure is the result of a measurement.
type Figure struct {
	// Name is "measurement/figure" or, for a given size, "measurement/figure/size". Figures
	// are compared by name.
	Name string `json:"name"`
	// About is a description for people.
	About string `json:"about"`
	// Unit is ms, s, MB, % or calls/s.
	Unit string `json:"unit"`
	// Size is the number of messages, pairs or processes the figure applies to; 0 if there
	// is only one.
	Size int `json:"size,omitempty"`
	// Samples is the number of single measurements the figure was computed from.
	Samples int `json:"samples"`
	// Value is the figure: the median if there are several samples.
	Value  float64     `json:"value"`
	Spread *rig.Spread `json:"spread,omitempty"`
	// More is set if a higher value is better.
	More bool `json:"higher_is_better,omitempty"`
}

// MachineLine describes the machine on one line, with its load before and after the run.
func (r Report) MachineLine() string {
	if r.Machine.Load < 0 {
		return r.Machine.String()
	}
	return fmt.Sprintf("%s before, %.2f after", r.Machine, r.LoadAfter)
}

// ReadReport reads a report that was printed with --json.
func ReadReport(r io.Reader) (Report, error) {
	var report Report
	if err := json.NewDecoder(io.LimitReader(r, maxReport)).Decode(&report); err != nil {
		return Report{}, errors.New("not a report of `bridge bench --json`")
	}
	if report.Format != Format {
		return Report{}, fmt.Errorf("the report has format %d, but this bridge compares reports of format %d", report.Format, Format)
	}
	if len(report.Figures) == 0 {
		return Report{}, errors.New("the report has no figures")
	}
	return report, nil
}

// times returns a figure computed from durations.
func times(name, about string, taken []time.Duration) Figure {
	values := make([]float64, len(taken))
	for i, d := range taken {
		values[i] = rig.Milliseconds(d)
	}
	return distribution(Figure{Name: name, About: about, Unit: "ms"}, values)
}

// distribution completes f with the distribution of values.
func distribution(f Figure, values []float64) Figure {
	spread := rig.SpreadOf(values)
	f.Samples, f.Value, f.Spread = len(values), spread.P50, &spread
	return f
}

// find returns the figure with that name.
func (r Report) find(name string) (Figure, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f, true
		}
	}
	return Figure{}, false
}
