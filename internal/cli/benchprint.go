package cli

import (
	"fmt"
	"strconv"
	"time"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/lab/bench"
	"example.org/bridge/internal/view"
)

// printBench prints a report, with the former one for comparison if there is one. It
// returns an error with its own exit code if a figure is worse.
func (a *app) printBench(report bench.Report, former *bench.Report, threshold float64) error {
	var c *comparison
	if former != nil {
		c = compareBench(report, *former, threshold)
	}
	var err error
	if a.json {
		err = a.printJSON(struct {
			bench.Report
			Comparison *comparison `json:"comparison,omitempty"`
		}{report, c})
	} else {
		err = a.printBenchTable(report, c)
	}
	if err == nil && c != nil && c.Worse > 0 {
		err = &exitError{advice.ExitSlower}
	}
	return err
}

// comparison is a run compared with a former one, for programs.
type comparison struct {
	Former      view.Time     `json:"former_at"`
	SameMachine bool          `json:"same_machine"`
	Threshold   float64       `json:"threshold"`
	Worse       int           `json:"worse"`
	Changes     []benchChange `json:"changes"`
	machine     string
}

type benchChange struct {
	Name   string   `json:"name"`
	Former *float64 `json:"former"`
	Ratio  float64  `json:"ratio,omitempty"`
	Tail   float64  `json:"p99_ratio,omitempty"`
	Worse  bool     `json:"worse"`
}

func compareBench(report, former bench.Report, threshold float64) *comparison {
	c := &comparison{
		Former: view.Time(former.At), SameMachine: report.Machine.SameAs(former.Machine), Threshold: threshold,
		machine: former.MachineLine(),
	}
	for _, change := range bench.Compare(report, former, threshold) {
		shown := benchChange{Name: change.Name, Ratio: change.Ratio, Tail: change.TailRatio, Worse: change.Worse}
		if change.Former != nil {
			shown.Former = &change.Former.Value
		}
		if change.Worse {
			c.Worse++
		}
		c.Changes = append(c.Changes, shown)
	}
	return c
}

func (a *app) printBenchTable(report bench.Report, c *comparison) error {
	lines := []string{report.MachineLine()}
	if report.Machine.InMemory() {
		lines = append(lines, "The store was in memory, so no commit waited for a disk: name a folder on one with --dir.")
	}
	if c != nil {
		lines = append(lines, "Compared with "+formatTime(time.Time(c.Former))+": "+c.machine)
		if !c.SameMachine {
			lines = append(lines, "These are different machines: the ratios do not show a change of bridge.")
		}
	}
	for _, line := range lines {
		if err := a.printLine(cleantext.Field(line)); err != nil {
			return err
		}
	}
	if err := benchTable(report, c).print(a.stdout, a.screen()); err != nil {
		return err
	}
	if c == nil {
		return nil
	}
	return a.printLine(fmt.Sprintf("%s by more than %g %%.", worseFigures(c.Worse), 100*c.Threshold))
}

func worseFigures(n int) string {
	switch n {
	case 0:
		return "No figure is worse"
	case 1:
		return "1 figure is worse"
	}
	return fmt.Sprintf("%d figures are worse", n)
}

func benchTable(report bench.Report, c *comparison) *table {
	t := &table{columns: []column{
		{title: "FIGURE"},
		{title: "VALUE", right: true},
		{title: "P90", right: true, drop: 2},
		{title: "P99", right: true},
		{title: "MAX", right: true, drop: 1},
		{title: "UNIT"},
		{title: "SAMPLES", right: true, drop: 3},
	}}
	if c != nil {
		t.columns = append(t.columns, column{title: "FORMER", right: true}, column{title: "RATIO", right: true}, column{title: "P99 RATIO", right: true, drop: 4}, column{title: ""})
	} else {
		t.columns = append(t.columns, column{title: "WHAT IT IS", shrink: true, drop: 4})
	}
	for i, f := range report.Figures {
		row := figureCells(f)
		if c != nil {
			row = append(row, c.Changes[i].cells()...)
		} else {
			row = append(row, cell{f.About, faint})
		}
		t.add(row...)
	}
	return t
}

func figureCells(f bench.Figure) []cell {
	var p90, p99, top string
	if f.Spread != nil {
		p90, p99, top = decimal(f.Spread.P90), decimal(f.Spread.P99), decimal(f.Spread.Max)
	}
	return []cell{
		{f.Name, plain},
		{decimal(f.Value), bold},
		{p90, plain},
		{p99, plain},
		{top, plain},
		{f.Unit, plain},
		{strconv.Itoa(f.Samples), plain},
	}
}

func (c benchChange) cells() []cell {
	former, note := "", cell{}
	if c.Former != nil {
		former = decimal(*c.Former)
	}
	if c.Worse {
		note = cell{"worse", bad}
	}
	return []cell{{former, plain}, {times(c.Ratio), plain}, {times(c.Tail), plain}, note}
}

// times formats a ratio; 0 means that there is none.
func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio)
}

// decimal formats a figure with as many digits as are useful for comparing.
func decimal(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
