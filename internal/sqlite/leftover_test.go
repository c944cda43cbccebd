//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestCopyBesideALeftOverLog: a copy of the database, put beside the log that a
// killed process left, is told from the database that the log belongs to.
func TestCopyBesideALeftOverLog(t *testing.T) {
	const round = 400 // messages, more than one leaf of the audit log
	tests := []struct {
		name string
		copy string // of which moment: "" the store's own, "before", "after", "other"
		fits bool
	}{
		{"the database itself", "", true},
		{"an older copy", "before", false},
		{"a newer copy", "after", false},
		{"another store", "other", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			copies := map[string][]byte{}
			keep := func(name string) {
				content, err := os.ReadFile(e.Path)
				must(t, err)
				copies[name] = content
			}
			var p bridgetest.Pair
			session := func(messages int, leave bool) {
				s, store, err := openChild(e.Path, nil)
				must(t, err)
				if p == (bridgetest.Pair{}) {
					p = bridgetest.NewPair(t, s)
				}
				for range messages {
					_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: strings.Repeat("x", 100)})
					must(t, err)
				}
				if leave { // what a killed process leaves
					log, err := os.ReadFile(e.Path + "-wal")
					must(t, err)
					database, err := os.ReadFile(e.Path)
					must(t, err)
					must(t, store.Close())
					must(t, os.WriteFile(e.Path+"-wal-left", log, 0o600))
					copies[""] = database
					return
				}
				must(t, store.Close())
			}
			session(round, false)
			keep("before")
			session(round, false)
			session(50, true)
			session(round, false)
			keep("after")
			other := newStore(t)
			content, err := os.ReadFile(other.Path)
			must(t, err)
			copies["other"] = content

			must(t, os.WriteFile(e.Path, copies[tt.copy], 0o600))
			must(t, os.Rename(e.Path+"-wal-left", e.Path+"-wal"))
			key := e.Key
			if tt.copy == "other" {
				key = other.Key
			}
			_, inspectErr := sqlite.Inspect(e.Path)
			store, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: key, Create: true})
			if err == nil {
				defer func() { must(t, store.Close()) }()
			}
			if (err == nil) != tt.fits || (inspectErr == nil) != tt.fits {
				t.Fatalf("open: %v, inspect: %v, want it to fit: %v", err, inspectErr, tt.fits)
			}
			if !tt.fits && (!errors.Is(err, bridge.ErrStoreDamaged) || !strings.Contains(err.Error(), "move "+e.Path+"-wal")) {
				t.Errorf("got %v, want ErrStoreDamaged and what to do", err)
			}
		})
	}
}
