//go:build unix

package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/storetest"
	"example.org/bridge/internal/tasks"
)

// changed returns an SQL expression for a column with its last character replaced.
func changed(table, column, where string) string {
	return "UPDATE " + table + " SET " + column + " = substr(" + column + ", 1, length(" + column + ") - 1) || CASE substr(" + column + ", -1) WHEN 'A' THEN 'B' ELSE 'A' END WHERE " + where
}

// TestPlantedTextsDoNotOpen puts clear texts into a store, as an attacker could who can
// write the file but has no key. An encrypted store must refuse them; a store that is
// being converted reads both forms.
func TestPlantedTextsDoNotOpen(t *testing.T) {
	t.Parallel()
	for name, planted := range map[string]string{"a text": "'pay me'", "a text that begins like a sealed one": "char(2, 2, 99, 58) || 'pay me'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			e, s, _, p := encrypted(t)
			x := files.Name{Path: "x.txt"}
			_, sent := s.Send(ctx, p.A, bridge.SendRequest{Text: "hello", Files: []string{"x.txt"}})
			_, logged := s.LogStep(ctx, p.A, steps.LogRequest{Text: "hello"})
			_, written := s.WriteFile(ctx, p.A, files.WriteRequest{Name: x, Text: "hello"})
			if err := errors.Join(sent, logged, written); err != nil {
				t.Fatal(err)
			}
			query(t, e.Path, "UPDATE messages SET message = "+planted, "UPDATE steps SET text = "+planted, "UPDATE file_texts SET text = "+planted)
			read := func() (message, step string, err error) {
				all, err := s.Messages(ctx, p.A.Conversation, 0, 2)
				if err != nil || len(all) != 1 {
					t.Fatalf("got %d messages, %v", len(all), err)
				}
				logged, err := s.Steps.Steps(ctx, steps.Query{Conversation: p.A.Conversation, Limit: 2})
				if err != nil || len(logged) != 1 {
					t.Fatalf("got %d steps, %v", len(logged), err)
				}
				_, err = s.ReadFile(ctx, p.B, files.ReadRequest{Name: x})
				return all[0].Text, logged[0].Text, err
			}
			if message, step, err := read(); message != sqlstore.Unreadable || step != sqlstore.Unreadable || !errors.Is(err, bridge.ErrStoreDamaged) {
				t.Errorf("encrypted: got %q, %q, %v", message, step, err)
			}
			query(t, e.Path, marked(atrest.TurningOn, sqlite.SchemaVersion()))
			if message, step, err := read(); message != "pay me" || step != "pay me" || err != nil {
				t.Errorf("while it is encrypted: got %q, %q, %v", message, step, err)
			}
		})
	}
}

// TestDamagedDetailsAreShownAsSuch damages the details of a log entry. The rest of the
// entry must still be shown, and verification must name the entry.
func TestDamagedDetailsAreShownAsSuch(t *testing.T) {
	t.Parallel()
	const sent = "action = 'send_to_partner'"
	for name, c := range map[string]struct{ damage, shown string }{
		"put there in clear": {`UPDATE audit_log SET details = '{"seq":9}' WHERE ` + sent, sqlstore.Unreadable},
		"changed":            {changed("audit_log", "details", sent), sqlstore.Unreadable},
		"of another entry":   {"UPDATE audit_log SET details = (SELECT details FROM audit_log WHERE action = 'create_conversation') WHERE " + sent, sqlstore.Unreadable},
		"in clear while it is encrypted": {
			fmt.Sprintf(`UPDATE audit_log SET details = '{"seq":9}' WHERE %s; PRAGMA user_version = %d`, sent, atrest.TurningOn.Mark(int64(sqlite.SchemaVersion()))),
			`{"seq":9}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			e, s, _, p := encrypted(t)
			if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "hello"}); err != nil {
				t.Fatal(err)
			}
			query(t, e.Path, c.damage)
			entries, err := s.AuditEntries(ctx, bridge.AuditQuery{Last: true, Limit: 2})
			if err != nil || len(entries) != 2 || entries[1].Details != c.shown || !strings.HasPrefix(entries[0].Details, "{") {
				t.Errorf("got %+v, %v", entries, err)
			}
			var fault *audit.Fault
			if _, err := s.VerifyAudit(ctx, audit.Head{}); !errors.As(err, &fault) || fault.Seq != entries[1].Seq {
				t.Errorf("the verification ended with %v", err)
			}
		})
	}
}

// TestDamagedClaimStandsForAll checks that a claim whose path is damaged still protects
// files.
func TestDamagedClaimStandsForAll(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"a changed path":                         changed("file_claims", "path", "true"),
		"a path in clear":                        "UPDATE file_claims SET path = 'other/y.go'",
		"a claim changed to a shared one":        "UPDATE file_claims SET shared = 1",
		"a path of another conversation's claim": "UPDATE file_claims SET path = (SELECT message FROM messages)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			e, s, _, p := encrypted(t)
			_, sent := s.Send(ctx, p.A, bridge.SendRequest{Text: "src/x.go"})
			_, taken := s.Take(ctx, p.A, claims.Request{Paths: []string{"src/x.go"}, Seconds: claims.MaxSeconds})
			if err := errors.Join(sent, taken); err != nil {
				t.Fatal(err)
			}
			query(t, e.Path, damage)
			for _, path := range []string{"src/x.go", "docs/a.md"} {
				_, err := s.Take(ctx, p.B, claims.Request{Paths: []string{path}, Shared: true})
				var held *claims.HeldError
				if !errors.As(err, &held) || held.Claimed != "**" || held.Reason != sqlstore.DamagedClaim {
					t.Errorf("%s was claimed nevertheless: %v", path, err)
				}
			}
			if _, err := s.WriteFile(ctx, p.B, files.WriteRequest{Name: files.Name{Path: "src/x.go"}, Text: "x"}); !errors.Is(err, claims.ErrHeld) {
				t.Errorf("the file was written nevertheless: %v", err)
			}
			if j, err := s.Claims.Judge(ctx, claims.Editor{p.B}, []string{"src/x.go"}); err != nil || len(j.Blocks) != 1 {
				t.Errorf("a commit: %+v, %v", j, err)
			}
			if _, err := s.Claims.Release(ctx, p.A, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Take(ctx, p.B, claims.Request{Paths: []string{"src/x.go"}}); err != nil {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}

// TestDamagedTextsStayWhatTheyAre checks that a text that does not open is not replaced
// by its placeholder when the store is converted, and does not block the rows next to
// it.
func TestDamagedTextsStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, s, store, p := encrypted(t)
	a, err := s.AssignTask(ctx, p.A, tasks.AssignRequest{Title: "title"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []tasks.Report{{State: tasks.Accepted, Note: "noted"}, {State: tasks.Progress}, {State: tasks.Done, Note: "ended"}} {
		r.ID = a.Task.ID
		if _, err := s.UpdateTask(ctx, p.B, r); err != nil {
			t.Fatal(err)
		}
		if r.State == tasks.Accepted {
			query(t, e.Path, changed("tasks", "note", "true"))
		}
		all, err := s.Tasks.Tasks(ctx, false)
		want := map[tasks.State]string{tasks.Accepted: sqlstore.Unreadable, tasks.Progress: sqlstore.Unreadable, tasks.Done: "ended"}[r.State]
		if err != nil || len(all) != 1 || all[0].Note != want {
			t.Errorf("%s: got %+v, %v", r.State, all, err)
		}
		if left, err := store.Unopened(ctx); err != nil || (left["tasks.note"] == 1) != (r.State != tasks.Done) {
			t.Errorf("%s: do not open: %v, %v", r.State, left, err)
		}
	}
	copied := filepath.Join(t.TempDir(), "copy.db") // opened by no store of this process
	query(t, e.Path, changed("tasks", "note", "true"))
	if err := store.CopyTo(copied); err != nil {
		t.Fatal(err)
	}
	if left, err := sqlite.Unopened(copied, e.Key); err != nil || !maps.Equal(left, map[string]int64{"tasks.note": 1}) {
		t.Errorf("in a copy do not open: %v, %v", left, err)
	}
	query(t, e.Path, "UPDATE session_status SET shared_files = 'x.txt' WHERE session = 'b'")
	named := bridge.SendRequest{Text: "see", Files: []string{"both.txt"}}
	for _, c := range []bridge.Credentials{p.B, p.A} {
		if _, err := s.Send(ctx, c, named); err != nil {
			t.Fatal(err)
		}
	}
	v, err := store.PeekInbox(ctx, p.B.Conversation, p.B.Session)
	if err != nil || fmt.Sprint(v.Shared) != "map[:[both.txt]]" {
		t.Errorf("named by both: got %v, %v", v.Shared, err)
	}
}

// TestDamagedCommandsJamNoOthers checks that nobody can use a request whose command
// does not open, and that other commands can still be requested.
func TestDamagedCommandsJamNoOthers(t *testing.T) {
	t.Parallel()
	x := storetest.NewTexts(t, opener(func(*testing.T, string) {}))
	store := x.Store().(*sqlite.Store)
	convert(t, store, true)
	x.Write(t)
	query(t, store.Path(), changed("command_requests", "command", "true"))
	x.Write(t) // requests another command
	left, err := store.Unopened(t.Context())
	if err != nil || left["command_requests.command"] != 1 {
		t.Errorf("do not open: %v, %v", left, err)
	}
}

// TestEmptyListsStayInClear checks that empty lists are stored in clear, so that
// queries can tell them from others in an encrypted store as well.
func TestEmptyListsStayInClear(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	s, store := e.Service(t), e.Store(t)
	p := bridgetest.NewPair(t, s)
	for _, names := range [][]string{nil, {"x.txt"}} {
		if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x", Files: names}); err != nil {
			t.Fatal(err)
		}
	}
	convert(t, store, true)
	db, err := sql.Open("sqlite", e.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM messages WHERE files <> '[]'").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d messages name files, %v, want 1", n, err)
	}
}

// TestSizesAreThoseOfTexts checks that size limits count the text and not its sealed
// form, so that pages of an encrypted store hold as much as those of a store in clear.
func TestSizesAreThoseOfTexts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	s := e.Served(t)
	store := e.Store(t)
	p := bridgetest.NewPair(t, s.Service)
	for _, text := range []string{"x", "äöü", "two\nlines and\x00 more"} {
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: text, Files: []string{"a.txt"}}); err != nil {
			t.Fatal(err)
		}
	}
	var inClear []bridge.Head
	for _, on := range []bool{false, true} {
		if on {
			convert(t, store, true)
		}
		heads, err := store.UnreadHeads(ctx, p.B.Conversation, p.B.Session, 10)
		if err != nil || len(heads) != 3 {
			t.Fatalf("got %v, %v", heads, err)
		}
		if !on {
			inClear = heads
		}
		for i, h := range heads {
			if h.Bytes != inClear[i].Bytes || h.Bytes < len(`["a.txt"]`)+1 {
				t.Errorf("on %t: message %d has %d bytes, in clear %d", on, h.ID, h.Bytes, inClear[i].Bytes)
			}
		}
	}
}

// TestUnopenedBesideOthers checks that Unopened judges each page by the encryption state
// at that moment, so that a conversion or a write by another process meanwhile does not
// make it count wrong.
func TestUnopenedBesideOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open  bool // keep the store in use before the count begins
		other func(t *testing.T, store *sqlite.Store, path string)
		want  map[string]int64
	}{
		"it is decrypted": {true, func(t *testing.T, store *sqlite.Store, _ string) { convert(t, store, false) }, map[string]int64{}},
		"it is decrypted in part": {true, func(t *testing.T, _ *sqlite.Store, path string) {
			query(t, path, marked(atrest.TurningOff, sqlite.SchemaVersion()), "UPDATE steps SET text = 'in clear'")
		}, map[string]int64{}},
		"a process starts, writes and ends": {false, func(t *testing.T, _ *sqlite.Store, path string) {
			query(t, path, "UPDATE messages SET message = 'in clear'")
		}, map[string]int64{"messages.message": 1}},
		"nobody": {false, func(*testing.T, *sqlite.Store, string) {}, map[string]int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, s, store, p := encrypted(t)
			_, sent := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "hello"})
			_, logged := s.LogStep(t.Context(), p.A, steps.LogRequest{Text: "hello"})
			if err := errors.Join(sent, logged); err != nil {
				t.Fatal(err)
			}
			path := e.Path
			if !c.open {
				path = filepath.Join(t.TempDir(), "copy.db") // no process has it open
				if err := store.CopyTo(path); err != nil {
					t.Fatal(err)
				}
			}
			done := false
			left, err := sqlite.UnopenedBeside(path, e.Key, func() {
				if !done {
					done = true
					c.other(t, store, path)
				}
			})
			if err != nil || !maps.Equal(left, c.want) {
				t.Errorf("do not open: %v, %v, want %v", left, err, c.want)
			}
		})
	}
}

// TestUnopenedOfAMigratedStore checks that a migration by a newer program during the
// count is reported.
func TestUnopenedOfAMigratedStore(t *testing.T) {
	t.Parallel()
	e, _, _, _ := encrypted(t)
	_, err := sqlite.UnopenedBeside(e.Path, e.Key, func() {
		query(t, e.Path, marked(atrest.On, sqlite.SchemaVersion()+1))
	})
	if !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("got %v, want ErrStoreNewer", err)
	}
	query(t, e.Path, marked(atrest.On, sqlite.SchemaVersion()))
}
