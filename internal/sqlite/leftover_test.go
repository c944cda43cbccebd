//go:build unix

package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
)

// TestCopyBesideALeftOverLog checks that the database to which the log of a killed
// process belongs is accepted, and that a copy put in its place is refused.
func TestCopyBesideALeftOverLog(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
	const round = 400 // messages, more than fit one leaf of the audit log
	tests := []struct {
		name string
		copy string // the moment of the copy: "" for the store itself, "before", "after", "other"
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
				if leave { // keep the files that a killed process would leave
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

// TestLogOfAnotherMoment checks that a left-over log is accepted only with a database
// of the same store whose last audit entry is part of the log's own history.
func TestLogOfAnotherMoment(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	type files struct{ database, log []byte }
	// after opens a store from the given database and records some operations. It
	// returns the files as a process killed at that point would leave them, and the
	// database as a closed store would.
	after := func(database []byte, sends int) (killed files, ended []byte) {
		d := &bridgetest.Env{Path: bridgetest.NewEnv(t).Path, Key: e.Key}
		if database != nil {
			must(t, os.WriteFile(d.Path, database, 0o600))
		}
		store, err := sqlite.Open(t.Context(), d.Path, sqlite.Options{Key: d.Key, Create: true})
		must(t, err)
		s := bridge.New(bridge.Config{Store: store, Key: d.Key})
		for range sends {
			_, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
			must(t, err)
		}
		killed.database, err = os.ReadFile(d.Path)
		must(t, err)
		killed.log, err = os.ReadFile(d.Path + "-wal")
		must(t, err)
		must(t, store.Close())
		ended, err = os.ReadFile(d.Path)
		must(t, err)
		return killed, ended
	}
	first, one := after(nil, 1)
	_, fork := after(one, 1)
	longer, _ := after(one, 3)
	tests := []struct {
		name string
		left files
		fits bool
	}{
		{"nothing was recorded before it", first, true},
		{"all of it came later", longer, true},
		{"another entry has the same number", files{fork, longer.log}, false},
		{"the store has another id", renamedInLog(t, one), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := bridgetest.NewEnv(t)
			must(t, os.WriteFile(d.Path, tt.left.database, 0o600))
			must(t, os.WriteFile(d.Path+"-wal", tt.left.log, 0o600))
			store, err := sqlite.Open(t.Context(), d.Path, sqlite.Options{Key: e.Key})
			if err == nil {
				must(t, store.Close())
			}
			if want := bridge.ErrStoreDamaged; tt.fits != (err == nil) || !tt.fits && !errors.Is(err, want) {
				t.Errorf("got %v, want it to fit: %v", err, tt.fits)
			}
		})
	}
}

// renamedInLog returns a database and a log that gives the store another id.
func renamedInLog(t *testing.T, database []byte) (left struct{ database, log []byte }) {
	t.Helper()
	path := bridgetest.NewEnv(t).Path
	must(t, os.WriteFile(path, database, 0o600))
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), "UPDATE store SET id = randomblob(16)")
	must(t, err)
	left.log, err = os.ReadFile(path + "-wal")
	must(t, err)
	left.database = database
	return left
}
