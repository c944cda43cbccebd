//go:build unix

package storefile_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/sqlite/storefile"
)

// TestFailedTrackCountsNothing: where a second store of this process cannot be opened, the
// first one still is.
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
		t.Error("the store that is open does not count any more")
	}
	for range 2 {
		must(t, first.Close())
	}
	if storefile.Running(path) {
		t.Error("the store that was closed counts")
	}
}
