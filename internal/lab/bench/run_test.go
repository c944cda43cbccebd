package bench_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/lab/bench"
	"example.org/bridge/internal/programtest"
)

// options returns the options of a short run of program.
func options(t *testing.T, program string) bench.Options {
	t.Helper()
	return bench.Options{
		Settings: bench.Settings{Samples: 2, Duration: bench.MinBeat, Beat: bench.MinBeat, Silence: 10 * bench.MinBeat, Look: bench.MinBeat, Pairs: []int{1}, Growth: []int{9}},
		Program:  program, Version: "test", Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
	}
}

// TestProgramFails checks that no measurement reports figures for a bridge that does not
// work, and that none leaves its store behind. The script bridge_bench.txtar covers a
// bridge that works.
func TestProgramFails(t *testing.T) {
	silent := filepath.Join(t.TempDir(), "silent")
	programtest.Write(t, silent, []byte("#!/bin/sh\nexit 0\n"))
	names, _ := bench.Measurements()
	for _, name := range names {
		for what, program := range map[string]string{"missing": filepath.Join(t.TempDir(), "bridge"), "silent": silent} {
			t.Run(name+"/"+what, func(t *testing.T) {
				o := options(t, program)
				o.Only = []string{name}
				report, err := bench.Run(t.Context(), o)
				if err == nil || !strings.Contains(err.Error(), "measure "+name) {
					t.Errorf("got %v", err)
				}
				if len(report.Figures) > 0 {
					t.Errorf("it reports %+v", report.Figures)
				}
				left, err := os.ReadDir(o.Dir)
				if err != nil || len(left) > 0 {
					t.Errorf("it leaves %v behind, %v", left, err)
				}
			})
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bench.Run(ctx, options(t, "bridge")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
