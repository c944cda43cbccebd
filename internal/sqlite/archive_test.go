package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestKilledAfterArchiving opens the files left by a process that was killed after
// archiving. The write-ahead log has removed the archived entries, but the database
// file still ends with them.
func TestKilledAfterArchiving(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]time.Duration{"everything is archived": 0, "the first conversation is archived": time.Hour} {
		t.Run(name, func(t *testing.T) {
			e := bridgetest.NewEnv(t)
			first := opened(t, e)
			bridgetest.NewPair(t, bridge.New(bridge.Config{Store: first, Key: e.Key, Now: e.Clock.Now}))
			must(t, first.Close()) // which checkpoints the log into the database
			e.Clock.Advance(2 * time.Hour)
			store := opened(t, e)
			defer func() { must(t, store.Close()) }()
			s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
			bridgetest.NewPair(t, s)
			op := s.OperatorOperation("archive_audit", "")
			old := filepath.Join(t.TempDir(), "old")
			_, err := archive.New(store, e.Key).Make(t.Context(), op, old, op.Now.Add(-rest).Add(time.Second))
			must(t, err)

			left := filepath.Join(t.TempDir(), "bridge.db")
			for _, ending := range []string{"", "-wal"} {
				content, err := os.ReadFile(e.Path + ending)
				must(t, err)
				must(t, os.WriteFile(left+ending, content, 0o600))
			}
			again, err := sqlite.Open(t.Context(), left, sqlite.Options{Key: e.Key})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { must(t, again.Close()) }()
			r, err := archive.New(again, e.Key).Verify(t.Context(), audit.Head{}, []string{old})
			if err != nil || r.First() != 1 {
				t.Errorf("from entry %d: %v", r.First(), err)
			}
		})
	}
}

func opened(t *testing.T, e *bridgetest.Env) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key, Create: true})
	must(t, err)
	return s
}
