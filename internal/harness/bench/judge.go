package bench

import (
	"slices"

	"example.org/bridge/internal/harness/stat"
)

// Thresholds say by how much a case may be slower than its baseline: shares such as 0.25.
type Thresholds struct{ Warning, Error, Critical float64 }

// Level is how bad a case is beside its baseline.
type Level string

// Levels. Fine is a case that is not slower, or not certainly so.
const (
	Fine     Level = "fine"
	Warning  Level = "warning"
	Error    Level = "error"
	Critical Level = "critical"
)

// Judged is a case beside its baseline. Ratio is now divided by then. Elsewhere says that
// the baseline was measured on another machine: such a case has no level above warning.
type Judged struct {
	Name      string  `json:"name"`
	Then      float64 `json:"then"`
	Now       float64 `json:"now"`
	Ratio     float64 `json:"ratio"`
	Level     Level   `json:"level"`
	Elsewhere bool    `json:"elsewhere,omitempty"`
	// Unsound says why the baseline is no ground for a comparison. Then there is no level
	// above warning either.
	Unsound string `json:"unsound,omitempty"`
}

// Judge holds what was measured beside baselines. New are the cases without one.
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
	// The clusters must lie apart: a median may move by chance, a quarter of all blocks
	// with it seldom.
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
