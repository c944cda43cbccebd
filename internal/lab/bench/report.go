package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// Format is the version of the report's JSON. It rises when a field changes its
// meaning, so that figures are never compared with something else.
const Format = 1

// maxReport bounds what ReadReport reads, in bytes. A report has some 10 KB.
const maxReport = 4 << 20

// Report is the result of a run.
type Report struct {
	Format  int         `json:"format"`
	At      time.Time   `json:"at"`
	Machine rig.Machine `json:"machine"`
	// LoadAfter is what Machine.Load is, at the end: others at work on the machine
	// make figures worse, and tails most.
	LoadAfter float64  `json:"load_after"`
	Settings  Settings `json:"settings"`
	Figures   []Figure `json:"figures"`
}

// Figure is one thing that was measured.
type Figure struct {
	// Name is "measurement/figure" or, where a size belongs to it,
	// "measurement/figure/size". Comparisons go by it.
	Name string `json:"name"`
	// About says what it is, for people.
	About string `json:"about"`
	// Unit is ms, s, MB, % or calls/s.
	Unit string `json:"unit"`
	// Size is the number of messages, pairs or processes behind the figure; 0
	// where there is only one.
	Size int `json:"size,omitempty"`
	// Samples is how many single measurements the figure was made of.
	Samples int `json:"samples"`
	// Value is the figure: the median where there is a spread.
	Value  float64     `json:"value"`
	Spread *rig.Spread `json:"spread,omitempty"`
	// More reports that a higher value is a better one.
	More bool `json:"higher_is_better,omitempty"`
}

// MachineLine is the machine on one line, with its load at both ends of the run.
func (r Report) MachineLine() string {
	if r.Machine.Load < 0 {
		return r.Machine.String()
	}
	return fmt.Sprintf("%s before, %.2f after", r.Machine, r.LoadAfter)
}

// ReadReport reads what a run printed with --json.
func ReadReport(r io.Reader) (Report, error) {
	var report Report
	if err := json.NewDecoder(io.LimitReader(r, maxReport)).Decode(&report); err != nil {
		return Report{}, errors.New("it is not a report of `bridge bench --json`")
	}
	if report.Format != Format {
		return Report{}, fmt.Errorf("it is a report of format %d, this bridge compares format %d", report.Format, Format)
	}
	if len(report.Figures) == 0 {
		return Report{}, errors.New("the report has no figures")
	}
	return report, nil
}

// times returns the figure that lengths of time make.
func times(name, about string, taken []time.Duration) Figure {
	values := make([]float64, len(taken))
	for i, d := range taken {
		values[i] = rig.Milliseconds(d)
	}
	return distribution(Figure{Name: name, About: about, Unit: "ms"}, values)
}

// distribution completes f with what the values say.
func distribution(f Figure, values []float64) Figure {
	spread := rig.SpreadOf(values)
	f.Samples, f.Value, f.Spread = len(values), spread.P50, &spread
	return f
}

// find returns the figure of that name.
func (r Report) find(name string) (Figure, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f, true
		}
	}
	return Figure{}, false
}
