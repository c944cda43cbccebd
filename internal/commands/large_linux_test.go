package commands_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/snapshot"
)

// BenchmarkLargeWorkspace measures how much an unchanged workspace of 50,000 files adds
// to a command's run time: the snapshot before it, and the sandbox's scans of file
// names before and after it. The time for an empty workspace is subtracted.
func BenchmarkLargeWorkspace(b *testing.B) {
	large, empty := b.TempDir(), b.TempDir()
	for i := range 50_000 {
		path := filepath.Join(large, fmt.Sprintf("d%d/e%d/f%d.go", i%50, i%1000/50, i))
		if i < 1000 {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(strings.Repeat(fmt.Sprintln(i), 100)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	keeper := snapshot.Keeper{Dir: filepath.Join(b.TempDir(), "snapshots")}
	for _, backend := range []sandbox.Backend{sandbox.Bubblewrap, sandbox.Landlock} {
		b.Run(string(backend), func(b *testing.B) {
			once := func(workspace string) time.Duration {
				began := time.Now()
				_, seen, err := keeper.Take(b.Context(), workspace, "large")
				if err != nil {
					b.Fatal(err)
				}
				opts := sandbox.Options{Workspace: workspace, Backend: backend, Writable: true, Timeout: time.Minute, Seen: seen}
				if _, err := sandbox.Run(b.Context(), sandbox.Program("/usr/bin/true"), opts); err != nil {
					b.Fatal(err)
				}
				return time.Since(began)
			}
			once(large) // the first snapshot reads every file
			once(empty)
			var with, without time.Duration
			for b.Loop() {
				with += once(large)
				without += once(empty)
			}
			b.ReportMetric(float64((with-without).Milliseconds())/float64(b.N), "added-ms/op")
			b.ReportMetric(float64(without.Milliseconds())/float64(b.N), "empty-ms/op")
		})
	}
}
