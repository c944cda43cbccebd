package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bench"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite"
)

type benchOptions struct {
	bench.Settings
	dir       string
	former    string
	seed      int
	warmUp    int
	threshold int
}

func newBenchCmd(a *app) *cobra.Command {
	o := benchOptions{
		Settings: bench.Settings{
			Samples: 500, Duration: 10 * time.Second, Beat: time.Second,
			Pairs: []int{1, 10}, Growth: []int{1_000, 10_000, 100_000},
		},
		seed: 1, warmUp: 50, threshold: 25,
	}
	names, about := bench.Measurements()
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast bridge is on this machine",
		Long: `Measure bridge on this machine with real processes, real MCP and a temporary store,
which is removed afterwards. Your own store and its settings are not touched: rate
limits are off, and each durable commit waits for the disk under --dir.

Measurements, for --only:
` + benchNames(names, about) + `

Growth fills a store by the code that sends messages, but lets no commit wait for the
disk while it does: 100,000 messages take about 15 seconds, a million a few minutes
and 1 GB. VALUE is the median where there is a spread. What is measured includes the
MCP client, which is part of this program.

--compare takes what --json printed before. A figure is worse if its value is by more
than --threshold percent; the exit code is 12 if one is. Tails are shown and not
judged. Figures of different machines say nothing: the output says if they are.`,
		Example: `  bridge bench
  bridge bench --only send,delivery --samples 2000
  bridge bench --json >now.json
  bridge bench --compare now.json --threshold 20
  bridge bench --only growth --growth 1000,1000000
  bridge bench --only keepalive --beat 30s --duration 30m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), a, o) },
	}
	fs := cmd.Flags()
	choicesFlag(fs, &o.Only, names, "only", "the measurements to do, with commas between them (default all)")
	countFlag(fs, &o.Samples, "samples", "how often each single thing is measured")
	numberFlag(fs, &o.warmUp, "warm-up", "how often it is done before, without being measured")
	ageFlag(fs, &o.Duration, "duration", "how long pairs, the idle watch and the keepalive run")
	countsFlag(fs, &o.Pairs, "pairs", "how many pairs of agents work at once")
	countsFlag(fs, &o.Growth, "growth", "how many messages the store holds")
	ageFlag(fs, &o.Beat, "beat", "the time between two heartbeats")
	numberFlag(fs, &o.seed, "seed", "what decides about messages and pauses")
	textFlag(fs, &o.dir, kindPath, "dir", "the folder for the temporary store (default the one for temporary files)")
	textFlag(fs, &o.former, kindPath, "compare", "a former report, to compare with")
	numberFlag(fs, &o.threshold, "threshold", "by how many percent a figure may be worse than the former one")
	return cmd
}

func benchNames(names, about []string) string {
	lines := make([]string, len(names))
	for i := range names {
		lines[i] = fmt.Sprintf("  %-10s %s", names[i], about[i])
	}
	return strings.Join(lines, "\n")
}

func runBench(ctx context.Context, a *app, o benchOptions) error {
	o.WarmUp, o.Seed = o.warmUp, uint64(o.seed)
	if err := o.Check(); err != nil {
		return usagef("%v", err)
	}
	former, err := readFormer(o.former)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find bridge itself: %w", err)
	}
	ctx, stop := daemon(ctx)
	defer stop()
	report, err := bench.Run(ctx, bench.Options{
		Settings: o.Settings, Program: program, Version: bridgeVersion(), Dir: o.dir, Open: openVolatile, Log: a.log(),
	})
	if err != nil {
		return err
	}
	return a.printBench(report, former, float64(o.threshold)/100)
}

// readFormer reads the report to compare with, before anything is measured.
func readFormer(path string) (*bench.Report, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("--compare: cannot read the report: %s", reason(err))
	}
	defer func() { _ = f.Close() }()
	former, err := bench.ReadReport(f)
	if err != nil {
		return nil, usagef("--compare: %v", err)
	}
	return &former, nil
}

// openVolatile opens a store that is thrown away, to fill it.
func openVolatile(ctx context.Context, db string) (*bridge.Service, io.Closer, error) {
	key, err := auth.LoadKey(keyPath(db))
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(ctx, db, sqlite.Options{Key: key, Volatile: true})
	if err != nil {
		return nil, nil, err
	}
	return bridge.New(bridge.Config{Store: store, Key: key}), store, nil
}

// printBench prints a report, beside the former one if there is one, and returns
// an error with an exit code of its own if a figure is worse.
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
		err = &exitError{exitSlower}
	}
	return err
}

// comparison is a run beside a former one, for programs.
type comparison struct {
	Former      jsonTime      `json:"former_at"`
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
		Former: jsonTime(former.At), SameMachine: report.Machine.SameAs(former.Machine), Threshold: threshold,
		machine: former.Machine.String(),
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
	lines := []string{report.Machine.String()}
	if report.Machine.InMemory() {
		lines = append(lines, "The store was in memory, so no commit waited for a disk: name a folder on one with --dir.")
	}
	if c != nil {
		lines = append(lines, "Compared with "+formatTime(time.Time(c.Former))+": "+c.machine)
		if !c.SameMachine {
			lines = append(lines, "These are different machines: the ratios say nothing of bridge.")
		}
	}
	for _, line := range lines {
		if err := a.printLine(field(line)); err != nil {
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

// times shows a ratio; 0 stands for none.
func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio)
}

// decimal shows a figure with as many places as a person compares.
func decimal(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
