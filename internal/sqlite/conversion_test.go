//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

// TestConversionsTogether runs conversions in the middle of another one. None may end
// with a state that does not match the texts.
func TestConversionsTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		on    bool
		inner []bool
		state atrest.State // at the end
	}{
		"decrypted while it is encrypted":            {true, []bool{false}, atrest.Off},
		"encrypted while it is decrypted":            {false, []bool{true}, atrest.On},
		"decrypted and encrypted meanwhile":          {true, []bool{false, true}, atrest.On},
		"encrypted by two":                           {true, []bool{true}, atrest.On},
		"encrypted and decrypted while it decrypted": {false, []bool{true, false}, atrest.Off},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := bridgetest.NewEnv(t)
			s := e.Served(t)
			p := bridgetest.NewPair(t, s.Service)
			_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "canary-of-a-message"})
			a := e.Store(t)
			b, opened := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key})
			if err := errors.Join(err, opened); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()
			if !c.on {
				convert(t, a, true)
			}
			begun := false
			_, err = a.Convert(t.Context(), conversion(), c.on, func(int64) {
				if !begun {
					begun = true
					for _, on := range c.inner {
						convert(t, b, on)
					}
				}
			})
			if !errors.Is(err, bridge.ErrStoreBusy) {
				t.Errorf("the outer conversion ended with %v", err)
			}
			state, err := b.AtRest(t.Context())
			if err != nil || state != c.state {
				t.Errorf("the encryption is %s, %v", state, err)
			}
			if found := inFiles(t, filepath.Dir(e.Path), []string{"canary-of-a-message"}); state == atrest.On && len(found) > 0 {
				t.Errorf("it is on, and in clear are %v", found)
			}
			if n := countSealed(t, e.Path); state == atrest.Off && n > 0 {
				t.Errorf("it is off, and sealed are %d texts", n)
			}
		})
	}
}

// TestConversionThatOthersOvertake interrupts a conversion while a second one reverts
// it and a third begins it again. The first must not complete in the place of the
// third, which is still running.
func TestConversionThatOthersOvertake(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	p := bridgetest.NewPair(t, s.Service)
	if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "canary-of-a-message"}); err != nil {
		t.Fatal(err)
	}
	a := e.Store(t)
	b, err := sqlite.Open(t.Context(), e.Path, sqlite.Options{Key: e.Key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	var outer error
	late, begun := false, false
	_, err = a.Convert(t.Context(), conversion(), true, func(int64) {
		if late { // the remaining tables
			return
		}
		late = true
		convert(t, b, false)
		_, err := b.Convert(t.Context(), conversion(), true, func(int64) {
			if !begun {
				begun = true
				_, outer = e.Store(t).Convert(t.Context(), conversion(), true, nil)
			}
		})
		if !errors.Is(err, bridge.ErrStoreBusy) {
			t.Errorf("the second ended with %v", err)
		}
	})
	if outer != nil || !errors.Is(err, bridge.ErrStoreBusy) {
		t.Errorf("the last ended with %v, the first with %v", outer, err)
	}
	if found := inFiles(t, filepath.Dir(e.Path), []string{"canary-of-a-message"}); len(found) > 0 {
		t.Errorf("in clear are %v", found)
	}
}

// TestFilesOfEitherForm checks that a shared file is found by its path whether that is
// stored sealed or in clear.
func TestFilesOfEitherForm(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	p := bridgetest.NewPair(t, s.Service)
	store := e.Store(t)
	convert(t, store, true)
	if _, err := s.WriteFile(t.Context(), p.A, files.WriteRequest{Name: files.Name{Path: "x.txt"}, Text: "one"}); err != nil {
		t.Fatal(err)
	}
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion())) // as if somebody had turned encryption off
	r, err := s.ReadFile(t.Context(), p.B, files.ReadRequest{Name: files.Name{Path: "x.txt"}})
	if err != nil || r.File.Text != "one" {
		t.Errorf("got %q, %v", r.File.Text, err)
	}
}

// TestTextsOfWhatIsGoneDoNotOpen puts texts of a removed conversation into rows of
// another conversation that have since been given the same numbers. SQLite reuses
// numbers, and somebody with an old copy of the file has such texts.
func TestTextsOfWhatIsGoneDoNotOpen(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	convert(t, e.Store(t), true)
	gone, p := bridgetest.NewPair(t, s.Service), bridgetest.NewPair(t, s.Service)
	for _, c := range []bridge.Credentials{gone.A, p.A} {
		w, err := s.WriteFile(ctx, c, files.WriteRequest{Name: files.Name{Path: "x.txt"}, Text: "one two three"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.EditFile(ctx, c, files.EditRequest{Name: files.Name{Path: "x.txt"}, Version: w.File.Version, Old: "two", New: "2"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AssignTask(ctx, c, tasks.AssignRequest{Title: "title", Body: "body"}); err != nil {
			t.Fatal(err)
		}
	}
	// The other conversation now has the same numbers, but nothing else of the files
	// and tasks is the same.
	query(t, e.Path, append(exchange("tasks", "id", "team_id", 1, 2), "UPDATE files SET id = -id", "UPDATE files SET id = 3 + id")...)
	if _, err := s.ReadFile(ctx, p.A, files.ReadRequest{Name: files.Name{Path: "x.txt"}}); !errors.Is(err, bridge.ErrStoreDamaged) || !strings.Contains(err.Error(), "file_texts.text") {
		t.Errorf("the text of another file: %v", err)
	}
	all, err := s.Tasks.Tasks(ctx, false)
	if err != nil || len(all) != 2 || all[0].Title != sqlstore.Unreadable || all[0].Body != sqlstore.Unreadable {
		t.Errorf("got the tasks %+v, %v", all, err)
	}
	done, err := e.Store(t).Convert(ctx, conversion(), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	left := sealedTexts(t, e.Path)
	want := map[string]int{"file_texts.text": 2, "file_changes.removed": 2, "file_changes.inserted": 4, "tasks.title": 2, "tasks.body": 2}
	if !maps.Equal(left, want) || done.Damaged != 12 {
		t.Errorf("%d texts do not open: %v, want %v", done.Damaged, left, want)
	}
}
