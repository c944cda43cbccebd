package storefile_test

import (
	"os"
	"sync"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite/storefile"
)

// tracked returns the files of a store as n processes have them open.
func tracked(t *testing.T, n int) (path string, all []*storefile.Files) {
	t.Helper()
	e := bridgetest.NewEnv(t)
	e.Store(t)
	for range n {
		f, err := storefile.Track(e.Path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		all = append(all, f)
	}
	return e.Path, all
}

func TestUnsaved(t *testing.T) {
	path, all := tracked(t, 2)
	mine, others := all[0], all[1]
	steps := []struct {
		name string
		do   func()
		want int64
	}{
		{"nothing failed", func() {}, 0},
		{"one failed", func() { must(t, mine.MarkUnsaved()) }, 1},
		{"another one", func() { must(t, others.MarkUnsaved()) }, 2},
		{"copied after the first only", func() { mine.MarkSaved(1) }, 2},
		{"copied after both", func() { others.MarkSaved(2) }, 0},
		{"late record for the first", func() { mine.MarkSaved(1) }, 0},
		{"a third", func() { must(t, mine.MarkUnsaved()) }, 3},
		{"a number above all failures", func() { mine.MarkSaved(9) }, 3},
		{"a copy without a failure", func() { mine.MarkSaved(0) }, 3},
		{"copied after the third", func() { mine.MarkSaved(3) }, 0},
		{"marks of an older version", func() { must(t, os.WriteFile(path+"-turn", []byte("!!"), 0o600)) }, 2},
		{"copied after those", func() { must(t, mine.MarkUnsaved()); others.MarkSaved(3) }, 0},
		{"an older version truncates it", func() { must(t, os.Truncate(path+"-turn", 0)) }, 0},
	}
	for _, step := range steps {
		step.do()
		for i, f := range all {
			if got := f.Unsaved(); got != step.want {
				t.Errorf("%s: process %d: %d, want %d", step.name, i, got, step.want)
			}
		}
	}
}

// TestUnsavedAtOnce checks that a flush that fails while another process records a copy
// of the log stays known.
func TestUnsavedAtOnce(t *testing.T) {
	_, all := tracked(t, 2)
	saving, failing := all[0], all[1]
	for range 2000 {
		must(t, saving.MarkUnsaved())
		known := saving.Unsaved()
		var both sync.WaitGroup
		both.Go(func() { saving.MarkSaved(known) })
		both.Go(func() {
			if err := failing.MarkUnsaved(); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if saving.Unsaved() == 0 {
			t.Fatal("the failure of one process counted as covered by the copy of another")
		}
		saving.MarkSaved(saving.Unsaved())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
