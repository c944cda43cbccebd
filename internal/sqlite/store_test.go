package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, opener(func(*testing.T, string) {})) }

// opener opens two handles of a new store, after change has modified its file.
func opener(change func(t *testing.T, path string)) storetest.Opener {
	return func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		path := filepath.Join(t.TempDir(), "state", "bridge.db")
		if err := storefile.Prepare(path); err != nil {
			t.Fatal(err)
		}
		handle := func() storetest.Store {
			s, err := sqlite.Open(context.Background(), path, sqlite.Options{Key: key, Create: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		}
		a = handle()
		change(t, path)
		return a, handle()
	}
}
