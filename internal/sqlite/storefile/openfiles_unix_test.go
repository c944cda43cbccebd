//go:build unix

package storefile_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/sqlite/storefile"
)

// TestFailedTrackCountsNothing checks that after a failure to open a second store, the
// first one is still known as open.
func TestFailedTrackCountsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.db")
	for name, size := range map[string]int{path: 100, path + "-wal": 0, path + "-shm": 32 << 10} {
		must(t, os.WriteFile(name, make([]byte, size), 0o600))
	}
	first, err := storefile.Track(path)
	must(t, err)
	must(t, os.Truncate(path, 10))
	if _, err := storefile.Track(path); err == nil {
		t.Fatal("a database of ten bytes is tracked")
	}
	if !storefile.Running(path) {
		t.Error("the open store no longer counts as open")
	}
	for range 2 {
		must(t, first.Close())
	}
	if storefile.Running(path) {
		t.Error("the closed store counts as open")
	}
}

// TestOnlyLogRemoved checks that the log may be rescued only if nothing but its name is
// gone. If the database or the index was replaced or removed too, another process may
// already be writing to new ones.
func TestOnlyLogRemoved(t *testing.T) {
	for name, test := range map[string]struct {
		removed, replaced []string
		want              bool
	}{
		"nothing":                     {},
		"the log":                     {removed: []string{"-wal"}, want: true},
		"the log and its index":       {removed: []string{"-wal", "-shm"}},
		"the log and the database":    {removed: []string{"-wal", ""}},
		"the log, and a new index":    {removed: []string{"-wal"}, replaced: []string{"-shm"}},
		"the log, and a new database": {removed: []string{"-wal"}, replaced: []string{""}},
		"none, but there is a new log, which may be in use": {replaced: []string{"-wal"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bridge.db")
			for name, size := range map[string]int{path: 100, path + "-wal": 0, path + "-shm": 32 << 10} {
				must(t, os.WriteFile(name, make([]byte, size), 0o600))
			}
			f, err := storefile.Track(path)
			must(t, err)
			defer func() { must(t, f.Close()) }()
			for _, end := range test.removed {
				must(t, os.Remove(path+end))
			}
			for _, end := range test.replaced {
				must(t, os.WriteFile(path+"-new", make([]byte, 32<<10), 0o600))
				must(t, os.Rename(path+"-new", path+end))
			}
			if got := f.OnlyLogRemoved(); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

// TestClosedStoreCountsNoMore checks that a closed store does not count as open while
// its files are being examined.
func TestClosedStoreCountsNoMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.db")
	for name, size := range map[string]int{path: 100, path + "-wal": 0, path + "-shm": 32 << 10} {
		must(t, os.WriteFile(name, make([]byte, size), 0o600))
	}
	store, err := storefile.Track(path)
	must(t, err)
	release, err := storefile.CheckRunning(path)
	must(t, err)
	defer release()
	if !storefile.Running(path) {
		t.Error("the open store does not count as open")
	}
	must(t, store.Close())
	if storefile.Running(path) {
		t.Error("the closed store counts as open")
	}
}
