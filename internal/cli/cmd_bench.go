package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/lab/bench"
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
			Samples: 500, Duration: 10 * time.Second, Beat: time.Second, Silence: 3 * time.Second, Look: time.Second,
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

Growth fills a store with the code that sends messages, but without waiting for the disk
at each commit: 100,000 messages take about 15 seconds, a million a few minutes and 600
MB. VALUE is the median if there are several samples. Times include the MCP client,
which is part of this program.

--compare takes an earlier output of --json. A figure counts as worse if its value is
worse by more than --threshold percent; the exit code is 12 if one is. High percentiles
are shown, but not judged. Figures of different machines cannot be compared: the output
says so if the machines differ.`,
		Example: `  bridge bench
  bridge bench --only send,delivery --samples 2000
  bridge bench --json >now.json
  bridge bench --compare now.json --threshold 20
  bridge bench --only growth --growth 1000,1000000
  bridge bench --only keepalive --beat 30s --duration 30m
  bridge bench --only watchdog --silence 5m --look 1m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), a, o) },
	}
	o.register(cmd.Flags(), names)
	return cmd
}

func (o *benchOptions) register(fs *pflag.FlagSet, measurements []string) {
	choicesFlag(fs, &o.Only, measurements, "only", "the measurements to make, separated by commas (default all)")
	countFlag(fs, &o.Samples, "samples", "the number of samples of each measurement")
	numberFlag(fs, &o.warmUp, "warm-up", "the number of runs before that are not measured")
	ageFlag(fs, &o.Duration, "duration", "how long pairs, the idle watch and the keepalive run")
	countsFlag(fs, &o.Pairs, "pairs", "how many pairs of agents work at once")
	countsFlag(fs, &o.Growth, "growth", "how many messages the store holds")
	ageFlag(fs, &o.Beat, "beat", "the time between two heartbeats")
	ageFlag(fs, &o.Silence, "silence", "the age of a silent worker's last heartbeat, for the watchdog")
	ageFlag(fs, &o.Look, "look", "the time between two rounds of the watchdog")
	numberFlag(fs, &o.seed, "seed", "the seed for random messages and pauses")
	textFlag(fs, &o.dir, kindPath, "dir", "the folder for the temporary store (default: the system's)")
	textFlag(fs, &o.former, kindPath, "compare", "a former report to compare with")
	numberFlag(fs, &o.threshold, "threshold", "how much worse than before a figure may be, in percent")
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
	if ctx.Err() != nil {
		return errors.New("ended before everything was measured, so nothing is reported")
	}
	if err != nil {
		return err
	}
	return a.printBench(report, former, float64(o.threshold)/100)
}

// readFormer reads the report to compare with. It is called before anything is
// measured.
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

// openVolatile opens a temporary store in order to fill it.
func openVolatile(ctx context.Context, db string) (*bridge.Service, io.Closer, error) {
	key, err := keyfile.Load(keyfile.Beside(db))
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(ctx, db, sqlite.Options{Key: key, Volatile: true})
	if err != nil {
		return nil, nil, err
	}
	return bridge.New(bridge.Config{Store: store, Key: key}), store, nil
}
