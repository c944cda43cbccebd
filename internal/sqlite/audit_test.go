//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
)

// audited makes a store with ten log entries, closes it, and returns the log's head.
func audited(t *testing.T) (*bridgetest.Env, audit.Head) {
	t.Helper()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
	p := bridgetest.NewPair(t, s)
	for i := range 9 {
		e.Clock.Advance(time.Second)
		if _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.VerifyAudit(ctx, audit.Head{})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return e, head
}

// renumber changes the number of an entry; the new number must be free.
func renumber(from, to int) string {
	return fmt.Sprintf("UPDATE audit_log SET seq = %d WHERE seq = %d", to, from)
}

func TestVerifyAuditFindsTampering(t *testing.T) {
	racetest.Skip(t)
	t.Parallel()
	const insert = "INSERT INTO audit_log SELECT %d, at, conversation, session, action, outcome, details, %s FROM audit_log WHERE seq = %d"
	tests := []struct {
		name       string
		statements []string
		seq        int64 // number of the first bad entry
	}{
		{"time edited", []string{"UPDATE audit_log SET at = at + 1 WHERE seq = 4"}, 4},
		{"conversation edited", []string{"UPDATE audit_log SET conversation = 'conv_0000000000000000' WHERE seq = 4"}, 4},
		{"session edited", []string{"UPDATE audit_log SET session = 'b' WHERE seq = 4"}, 4},
		{"action edited", []string{"UPDATE audit_log SET action = 'get_history' WHERE seq = 4"}, 4},
		{"outcome edited", []string{"UPDATE audit_log SET outcome = 'unauthorized' WHERE seq = 4"}, 4},
		{"details edited", []string{"UPDATE audit_log SET details = '{}' WHERE seq = 4"}, 4},
		{"text moved between fields", []string{"UPDATE audit_log SET session = session || substr(action, 1, 1), action = substr(action, 2) WHERE seq = 4"}, 4},
		{"mac edited", []string{"UPDATE audit_log SET mac = zeroblob(32) WHERE seq = 4"}, 4},
		{"mac emptied", []string{"UPDATE audit_log SET mac = x'' WHERE seq = 4"}, 4},
		{"mac cut short", []string{"UPDATE audit_log SET mac = substr(mac, 1, 16) WHERE seq = 4"}, 4},
		{"mac of another entry", []string{"UPDATE audit_log SET mac = (SELECT mac FROM audit_log WHERE seq = 5) WHERE seq = 4"}, 4},
		{"first entry edited", []string{"UPDATE audit_log SET details = '{}' WHERE seq = 1"}, 1},
		{"last entry edited", []string{"UPDATE audit_log SET details = '{}' WHERE seq = 10"}, 10},
		{"every entry edited", []string{"UPDATE audit_log SET at = at - 1"}, 1},

		{"one removed", []string{"DELETE FROM audit_log WHERE seq = 4"}, 4},
		{"one removed, the rest moved up", []string{
			"DELETE FROM audit_log WHERE seq = 4",
			renumber(5, 4), renumber(6, 5), renumber(7, 6), renumber(8, 7), renumber(9, 8), renumber(10, 9),
		}, 4},
		{"the first removed", []string{"DELETE FROM audit_log WHERE seq = 1"}, 1},
		{"several removed", []string{"DELETE FROM audit_log WHERE seq BETWEEN 4 AND 6"}, 4},
		{"all removed", []string{"DELETE FROM audit_log"}, 1},
		{"all removed, with an empty head", []string{"DELETE FROM audit_log", "UPDATE audit_head SET seq = 0, fence = 0, mac = x''"}, 1},

		{"two swapped", []string{renumber(4, 99), renumber(5, 4), renumber(99, 5)}, 4},
		{"two swapped with their macs in place", []string{
			renumber(4, 99), renumber(5, 4), renumber(99, 5),
			"UPDATE audit_log SET mac = iif(seq = 4, (SELECT mac FROM audit_log WHERE seq = 5), (SELECT mac FROM audit_log WHERE seq = 4)) WHERE seq IN (4, 5)",
		}, 4},

		{"one inserted after the end", []string{fmt.Sprintf(insert, 11, "mac", 10)}, 11},
		{"one inserted after the end, with a head", []string{
			fmt.Sprintf(insert, 11, "mac", 10), "UPDATE audit_head SET seq = 11, fence = 11",
		}, 11},
		{"one inserted at the front", []string{fmt.Sprintf(insert, 0, "mac", 1)}, 0},
		{"one inserted with a negative number", []string{fmt.Sprintf(insert, -5, "mac", 1)}, -5},
		{"one inserted in between", []string{
			renumber(10, 11), renumber(9, 10), renumber(8, 9), renumber(7, 8), renumber(6, 7), renumber(5, 6),
			fmt.Sprintf(insert, 5, "mac", 4), "UPDATE audit_head SET seq = 11, fence = 11",
		}, 5},

		{"cut off", []string{"DELETE FROM audit_log WHERE seq > 7"}, 8},
		{"last cut off", []string{"DELETE FROM audit_log WHERE seq = 10"}, 10},
		{"cut off, with the head of the last entry left", []string{
			"DELETE FROM audit_log WHERE seq > 7",
			"UPDATE audit_head SET seq = 7, fence = 7, mac = (SELECT mac FROM audit_log WHERE seq = 7)",
		}, 8},
		{"head's number edited", []string{"UPDATE audit_head SET seq = 9, fence = 9"}, 11},
		{"head's mac edited", []string{"UPDATE audit_head SET mac = zeroblob(32)"}, 11},
		{"head's seal edited", []string{"UPDATE audit_head SET seal = zeroblob(32)"}, 11},
		{"head removed", []string{"DELETE FROM audit_head"}, 11},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, head := audited(t)
			query(t, e.Path, tt.statements...)
			s := e.Service(t)
			for _, noted := range []audit.Head{{}, head} {
				_, err := s.VerifyAudit(context.Background(), noted)
				var fault *audit.Fault
				if !errors.As(err, &fault) {
					t.Fatalf("got %v, want a fault", err)
				}
				if fault.Seq != tt.seq {
					t.Errorf("got %v, want entry %d named", fault, tt.seq)
				}
			}
		})
	}
}

func TestVerifyAuditWithANotedHead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e, head := audited(t)
	noted, err := audit.ParseHead(head.String()) // as an operator would note it
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := os.ReadFile(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	store := e.Store(t)
	s := bridge.New(bridge.Config{Store: store, Key: e.Key, Now: e.Clock.Now})
	bridgetest.NewPair(t, s)
	if _, err := s.VerifyAudit(ctx, noted); err != nil {
		t.Errorf("a log that continues after the noted head: %v", err)
	}
	later, err := s.VerifyAudit(ctx, audit.Head{})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	// The whole store is put back to an earlier copy, including its head.
	write(t, e.Path, string(earlier))
	s = e.Service(t)
	if _, err := s.VerifyAudit(ctx, audit.Head{}); err != nil {
		t.Errorf("an earlier copy, which is consistent: %v", err)
	}
	var fault *audit.Fault
	if _, err := s.VerifyAudit(ctx, later); !errors.As(err, &fault) || fault.Seq != 11 {
		t.Errorf("got %v, want entry 11 missed", err)
	}
	// A different history is written from there on.
	bridgetest.NewPair(t, s)
	if _, err := s.VerifyAudit(ctx, later); !errors.As(err, &fault) || fault.Seq != 11 {
		t.Errorf("got %v, want entry 11 to be another", err)
	}
}

func TestStoreWithoutAuditHeadDoesNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	p := bridgetest.NewPair(t, s)
	query(t, e.Path, "DELETE FROM audit_head")
	before := dump(t, e.Path, nil)
	for name, call := range map[string]func() error{
		"create": func() error {
			_, err := s.Create(ctx, bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
			return err
		},
		"send":  func() error { _, err := s.Send(ctx, p.A, bridge.SendRequest{Text: "x"}); return err },
		"check": func() error { _, err := s.Check(ctx, p.A, bridge.CheckRequest{}, nil); return err },
		"join":  func() error { _, err := s.Join(ctx, "00000-00000"); return err },
	} {
		if err := call(); !errors.Is(err, bridge.ErrStoreDamaged) {
			t.Errorf("%s: got %v, want ErrStoreDamaged", name, err)
		}
	}
	if after := dump(t, e.Path, nil); after != before {
		t.Errorf("the store changed from\n%s\nto\n%s", before, after)
	}
}

// dump returns the content of all tables except those given, as text.
func dump(t testing.TB, path string, but map[string]bool) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out strings.Builder
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		if but[table] {
			continue
		}
		rows := column(t, db, fmt.Sprintf("SELECT quote(concat_ws(',', %s)) FROM %s ORDER BY 1", quotedColumns(t, db, table), table))
		fmt.Fprintf(&out, "%s\n\t%s\n", table, strings.Join(rows, "\n\t"))
	}
	return out.String()
}

func quotedColumns(t testing.TB, db *sql.DB, table string) string {
	t.Helper()
	return strings.Join(column(t, db, fmt.Sprintf("SELECT 'quote(' || name || ')' FROM pragma_table_info('%s')", table)), ", ")
}

func column(t testing.TB, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
