package bench

import (
	"slices"

	"example.org/bridge/internal/harness/stat"
)

// Thresholds are the fractions, such as 0.25, by which a case must be slower than its
// baseline to reach each level.
type Thresholds struct{ Warning, Error, Critical float64 }

// Level says how much slower a case is than its baseline.
type Level string

// Levels. Fine means that a case is not slower, or not certainly slower.
const (
	Fine     Level = "fine"
	Warning  Level = "warning"
	Error    Level = "error"
	Critical Level = "critical"
)

// Judged compares a case with its baseline. Ratio is now divided by then. Elsewhere is set
// if the baseline was measured on another machine; the level is then at most warning.
type Judged struct {
	Name      string  `json:"name"`
	Then      float64 `json:"then"`
	Now       float64 `json:"now"`
	Ratio     float64 `json:"ratio"`
	Level     Level   `json:"level"`
	Elsewhere bool    `json:"elsewhere,omitempty"`
	// Unsound is the reason why the baseline is not suitable for comparison. If it is set,
	// the level is at most warning.
	Unsound string `json:"unsound,omitempty"`
}

// Judge compares measured cases with baselines. fresh lists the cases without a baseline.
func Judge(m Measured, all []Baseline, t Thresholds) (judged []Judged, fresh []string) {
	for _, s := range m.Series {
		i := slices.IndexFunc(all, func(b Baseline) bool { return b.Case == s.Name })
		if i < 0 {
			fresh = append(fresh, s.Name)
			continue
		}
		judged = append(judged, judgeOne(s, all[i], t))
	}
	return judged, fresh
}

func judgeOne(s Series, b Baseline, t Thresholds) Judged {
	j := Judged{Name: s.Name, Then: stat.Median(b.ResponseTimes), Now: stat.Median(s.Blocks), Level: Fine}
	j.Ratio = j.Now / j.Then
	// The quartiles must not overlap: a median may change by chance, but a quarter of all
	// blocks rarely does.
	apart := stat.Quantile(s.Blocks, 0.25) > stat.Quantile(b.ResponseTimes, 0.75)
	for _, step := range []struct {
		share float64
		level Level
	}{{t.Warning, Warning}, {t.Error, Error}, {t.Critical, Critical}} {
		if apart && j.Ratio > 1+step.share {
			j.Level = step.level
		}
	}
	j.Elsewhere = b.Machine != ThisMachine()
	if err := b.Check(); err != nil {
		j.Unsound = err.Error()
	}
	if j.Level != Fine && (j.Elsewhere || j.Unsound != "") {
		j.Level = Warning
	}
	return j
}
