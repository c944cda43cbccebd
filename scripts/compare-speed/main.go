//go:build linux

// Command compare-speed measures two builds of bridge in one run, taking turns,
// and prints the ratios. Taking turns spreads the noise of a shared machine over
// both builds. CPU time is what the system charged to the server processes, so
// that other programs hardly affect it.
//
//	go run ./scripts/compare-speed --base OLD --new NEW
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// program is a build of bridge under measurement.
type program struct {
	path string
	settings
}

// settings determine how long each turn takes.
type settings struct {
	dir   string
	calls int
	pairs int
}

// figures are the goals, by the name of the figure. A share is relative to the
// base's value.
var figures = []struct{ name, about, unit, goal string }{
	{"send/cpu", "CPU time of a send", "µs", "ratio <= 0.60"},
	{"check/cpu", "CPU time of a check that delivers one message", "µs", "ratio <= 0.60"},
	{"empty/cpu", "CPU time of a check without mail", "µs", "ratio <= 0.60"},
	{"send/wall", "a lone send, as its client sees it", "ms", ""},
	{"check/wall", "a lone check that delivers one message", "ms", ""},
	{"delivery", "from the call of send to a waiting client, both idle for 20 ms before", "ms", "ratio <= 0.60"},
	{"pairs/rate", "calls per second of ten pairs at full speed", "1/s", "ratio >= 1.50"},
	{"memory/resident", "resident memory of an idle process", "MB", "<= 16"},
	{"memory/private", "of that, what is not the shared program", "MB", ""},
	{"start", "start of a process to its first answer", "ms", "<= 8"},
	{"hundred/p50", "a send of a hundred agents at default limits", "ms", ""},
	{"hundred/p99", "the same, 99th percentile", "ms", "<= 200"},
}

// measure is one measurement of one build.
type measure struct {
	name string
	do   func(context.Context, program) (map[string][]float64, error)
}

// measures are taken with both builds in turns.
var measures = []measure{
	{"calls", measureCalls},
	{"delivery", measureDelivery},
	{"start", measureStart},
	{"pairs", measurePairs},
	{"hundred", measureHundred},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare-speed:", err)
		os.Exit(1)
	}
}

func run() error {
	base := flag.String("base", "", "the build to compare with")
	current := flag.String("new", "bin/bridge", "the build to measure")
	blocks := flag.Int("blocks", 4, "how many turns each build has")
	only := flag.String("only", "", "measurements to take, separated by commas: calls, delivery, start, pairs, hundred (default all)")
	var s settings
	flag.StringVar(&s.dir, "dir", "", "the folder for temporary stores (default the one for temporary files)")
	flag.IntVar(&s.calls, "calls", 300, "calls of each kind in a turn")
	flag.IntVar(&s.pairs, "pairs", 10, "pairs at full speed")
	flag.Parse()
	if *base == "" {
		return errors.New("name the build to compare with: --base PATH")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	programs, err := paths(*base, *current, s)
	if err != nil {
		return err
	}
	var results [2]map[string][]float64
	for i := range results {
		results[i] = map[string][]float64{}
	}
	for _, m := range measures {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		if err := takeTurns(ctx, m, *blocks, programs, results); err != nil {
			return err
		}
	}
	table(results[0], results[1])
	return nil
}

// takeTurns takes a measurement of both programs, alternating, and adds the values
// to their results.
func takeTurns(ctx context.Context, m measure, turns int, programs [2]program, results [2]map[string][]float64) error {
	if m.name == "hundred" {
		turns = 1 // a minute each
	}
	for turn := range turns {
		// The builds alternate in going first.
		for i := range programs {
			which := (i + turn) % len(programs)
			fmt.Fprintf(os.Stderr, "%s, turn %d of %d, %s\n", m.name, turn+1, turns, programs[which].path)
			got, err := m.do(ctx, programs[which])
			if err != nil {
				return fmt.Errorf("measure %s of %s: %w", m.name, programs[which].path, err)
			}
			for name, values := range got {
				results[which][name] = append(results[which][name], values...)
			}
		}
	}
	return nil
}

func paths(base, current string, s settings) (all [2]program, err error) {
	for i, path := range []string{base, current} {
		if path, err = filepath.Abs(path); err != nil {
			return all, err
		}
		if _, err := os.Stat(path); err != nil {
			return all, err
		}
		all[i] = program{path, s}
	}
	return all, nil
}

// table writes the medians of both builds and their ratio.
func table(base, current map[string][]float64) {
	fmt.Printf("%-16s %10s %10s %7s  %-14s %s\n", "FIGURE", "BASE", "NEW", "RATIO", "TARGET", "WHAT")
	for _, f := range figures {
		if len(base[f.name]) == 0 || len(current[f.name]) == 0 {
			continue
		}
		was, is := median(base[f.name]), median(current[f.name])
		fmt.Printf("%-16s %10.2f %10.2f %7.2f  %-14s %s, %s\n", f.name, was, is, is/was, f.goal, f.about, f.unit)
	}
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
