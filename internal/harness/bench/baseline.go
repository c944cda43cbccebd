package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/privatefile"
)

// Baseline holds the measured times of a case for later comparison. It is stored in
// FOLDER/CASE/baseline.json. ResponseTimes are in milliseconds, each the median of the
// calls of a block; the JSON key is the one used by the validators of other tools.
type Baseline struct {
	Case          string    `json:"case"`
	ResponseTimes []float64 `json:"response_times"`
	Calls         int       `json:"calls_per_response_time"`
	Revision      string    `json:"revision,omitempty"`
	Measured      time.Time `json:"measured"`
	Machine       Machine   `json:"machine"`
}

const (
	baselineFile = "baseline.json"
	mostBytes    = 1 << 20 // maximum size of a baseline file
)

// Requirements of a valid baseline.
const (
	FewestTimes    = 10
	MostVariation  = 0.5 // standard deviation divided by the mean
	outlierAt      = 3.0 // standard deviations from the mean
	MostOutliers   = 0.1 // maximum fraction of outliers
	mostCaseLetter = 80
)

// NewBaseline returns a baseline from a measured series.
func NewBaseline(s Series, m Measured, calls int, now time.Time) Baseline {
	return Baseline{
		Case: s.Name, ResponseTimes: s.Blocks, Calls: calls, Revision: m.Revision,
		Measured: now.UTC().Truncate(time.Second), Machine: ThisMachine(),
	}
}

// Check returns an error if a baseline is not suitable for comparison.
func (b Baseline) Check() error {
	n := len(b.ResponseTimes)
	if n < FewestTimes {
		return fmt.Errorf("%d response times, and at least %d are needed", n, FewestTimes)
	}
	mean, deviation := moments(b.ResponseTimes)
	if !(mean > 0) { // also true for NaN
		return errors.New("response times must be above zero")
	}
	if variation := deviation / mean; variation > MostVariation {
		return fmt.Errorf("response times vary by %.0f %%, but at most %.0f %% are allowed: measure on a quieter machine", variation*100, MostVariation*100)
	}
	outliers := 0
	for _, t := range b.ResponseTimes {
		if math.Abs(t-mean) > outlierAt*deviation {
			outliers++
		}
	}
	if share := float64(outliers) / float64(n); share > MostOutliers {
		return fmt.Errorf("%.0f %% of the response times are outliers, but at most %.0f %% are allowed: measure on a quieter machine", share*100, MostOutliers*100)
	}
	return nil
}

// moments returns the mean and the standard deviation of a sample.
func moments(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(values)-1))
}

// Save writes baselines to a folder. Each file is replaced atomically.
func Save(folder string, all []Baseline) error {
	for _, b := range all {
		data, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return err
		}
		path := filepath.Join(folder, folderOf(b.Case), baselineFile)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("cannot create a folder for baselines: %w", err)
		}
		if err := (privatefile.Write{}).File(path, append(data, '\n')); err != nil {
			return fmt.Errorf("cannot write a baseline: %w", err)
		}
	}
	return nil
}

// Load reads the baselines of a folder, in the order of their cases. A missing folder
// contains none.
func Load(folder string) ([]Baseline, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read baselines: %w", err)
	}
	var all []Baseline
	for _, e := range entries {
		b, err := load(filepath.Join(folder, e.Name(), baselineFile))
		if errors.Is(err, fs.ErrNotExist) || !e.IsDir() {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b Baseline) int { return strings.Compare(a.Case, b.Case) })
	return all, nil
}

func load(path string) (b Baseline, err error) {
	f, err := os.Open(path)
	if err != nil {
		return b, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return b, err
	}
	if len(data) > mostBytes || json.Unmarshal(data, &b) != nil || b.Case == "" {
		return b, fmt.Errorf("%s is not a baseline: remove it, or measure again with `bridge harness baseline rebuild`", path)
	}
	return b, nil
}

// Clear removes the baselines of a folder and nothing else.
func Clear(folder string) error {
	all, err := fs.Glob(os.DirFS(folder), "*/"+baselineFile)
	if err != nil {
		return err
	}
	for _, name := range all {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(path)) // fails if the folder contains other files, which are kept
	}
	return nil
}
