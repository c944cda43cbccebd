package snapshot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkTake measures another snapshot of an unchanged workspace of 50,000
// files: in a plain folder, and in a git repository that tracks all of them and
// has ignore rules.
func BenchmarkTake(b *testing.B) {
	b.Run("folder", func(b *testing.B) {
		dir := b.TempDir()
		manyFiles(b, dir)
		benchmarkTake(b, dir)
	})
	b.Run("repository", func(b *testing.B) {
		dir := repository(b)
		manyFiles(b, dir)
		if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*.log\n/build/\n**/cache/*.tmp\nnode_modules\n"), 0o644); err != nil {
			b.Fatal(err)
		}
		git(b, dir, "add", "-A")
		benchmarkTake(b, dir)
	})
}

// manyFiles writes 50,000 files to 1,050 folders.
func manyFiles(b *testing.B, dir string) {
	b.Helper()
	for i := range 50_000 {
		path := filepath.Join(dir, fmt.Sprintf("d%d/e%d/f%d.go", i%50, i%1000/50, i))
		if i < 1000 {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(strings.Repeat(fmt.Sprintln(i), 100)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkTake(b *testing.B, dir string) {
	b.Helper()
	k := keeper(b)
	began := time.Now()
	if _, _, err := k.Take(b.Context(), dir, label); err != nil {
		b.Fatal(err)
	}
	b.Logf("the first took %s", time.Since(began).Round(time.Millisecond))
	before := processorTime(b)
	for b.Loop() {
		if _, _, err := k.Take(b.Context(), dir, label); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processorTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}

// processorTime returns the CPU time of this process, which does not depend on
// other load.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
