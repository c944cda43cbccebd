package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// closedStore makes a store with a conversation in it, and closes it.
func closedStore(t *testing.T) *bridgetest.Env {
	t.Helper()
	e := bridgetest.NewEnv(t)
	t.Run("fill", func(t *testing.T) { bridgetest.NewPair(t, e.Service(t)) })
	return e
}

// listing returns the names and contents of the files in the folder of path.
func listing(t *testing.T, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(text)
	}
	return files
}

func TestInspectChangesNothing(t *testing.T) {
	t.Parallel()
	e := closedStore(t)
	before := listing(t, e.Path)
	got, err := sqlite.Inspect(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !got.WAL || got.SchemaVersion != sqlite.SchemaVersion() || len(got.Problems) > 0 || got.Bytes == 0 {
		t.Errorf("%+v", got)
	}
	if !got.FitsKey(e.Key) {
		t.Error("its own key does not fit")
	}
	other, err := auth.NewKey(bytes.Repeat([]byte{1}, auth.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if got.FitsKey(other) {
		t.Error("another key fits")
	}
	after := listing(t, e.Path)
	if len(after) != len(before) {
		t.Errorf("there were %d files, now there are %d", len(before), len(after))
	}
	for name := range before {
		if after[name] != before[name] {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestInspectFindsDamage(t *testing.T) {
	t.Parallel()
	e := closedStore(t)
	text, err := os.ReadFile(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	// The root pages of tables and indexes come after the first page.
	const page = 4096
	for i := page; i < len(text); i += page {
		copy(text[i:i+16], strings.Repeat("\xff", 16))
	}
	if err := os.WriteFile(e.Path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := sqlite.Inspect(e.Path)
	if !errors.Is(err, bridge.ErrStoreDamaged) && len(got.Problems) == 0 {
		t.Errorf("%+v, %v; want the damage", got, err)
	}
}

func TestInspectRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := sqlite.Inspect(filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear diary,\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Inspect(text); !errors.Is(err, bridge.ErrStoreForeign) {
		t.Errorf("a text: %v", err)
	}
	if err := sqlite.Identify(text); !errors.Is(err, bridge.ErrStoreForeign) {
		t.Errorf("a text: %v", err)
	}
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := sqlite.Inspect(empty); err != nil || got.SchemaVersion != 0 {
		t.Errorf("an empty file: %+v, %v", got, err)
	}
}

func TestFreeSpace(t *testing.T) {
	t.Parallel()
	free, err := storefile.FreeSpace(t.TempDir())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
}

// TestInspectComparesUnreadCounts checks that stored unread counts are compared with
// the inboxes that they describe.
func TestInspectComparesUnreadCounts(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	t.Run("fill", func(t *testing.T) {
		s := e.Service(t)
		room := bridgetest.NewRoom(t, s, 3)
		for range 3 {
			_, err := s.Send(t.Context(), room[0], bridge.SendRequest{Text: "hello", To: []bridge.SessionID{bridge.Everyone}})
			must(t, err)
		}
		d, err := s.Check(t.Context(), room[1], bridge.CheckRequest{Limit: 1}, nil)
		must(t, err)
		must(t, s.Confirm(t.Context(), d.Claim))
	})
	got, err := sqlite.Inspect(e.Path)
	must(t, err)
	if len(got.Problems) > 0 {
		t.Errorf("of a store as it is made: %q", got.Problems)
	}
	must(t, sqlite.ExecFile(e.Path, "UPDATE flows SET unread = 9 WHERE sender = 'a' AND recipient = 'b'"))
	got, err = sqlite.Inspect(e.Path)
	must(t, err)
	if len(got.Problems) != 1 || !strings.Contains(got.Problems[0], ": 2 messages from a to b are unread, but the table flows says 9") {
		t.Errorf("of a store with a wrong count: %q", got.Problems)
	}
}
