//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// outdated are the statements with which a program of the first three schema versions
// creates a conversation: every change ends with an update of the audit log's head, in
// the same transaction.
var outdated = []string{
	"BEGIN IMMEDIATE",
	`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, join_expires_at)
	 VALUES ('conv_00000000000000ff', 'backend', 'frontend', '', 1, 2, 3)`,
	"UPDATE audit_head SET seq = seq + 1, mac = x'01', seal = x'02'",
	"COMMIT",
}

// outdatedChild opens a store as an old program does, reports that, and creates a
// conversation for each line of standard input.
func outdatedChild(args []string) error {
	db, err := sql.Open("sqlite", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(context.Background(), "DELETE FROM conversations WHERE id = 'conv_00000000000000ff'"); err != nil {
		return err
	}
	fmt.Println("open")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var failed error
		for _, statement := range outdated {
			if _, failed = c.ExecContext(context.Background(), statement); failed != nil {
				_, _ = c.ExecContext(context.Background(), "ROLLBACK")
				break
			}
		}
		fmt.Println(failed)
	}
	return nil
}

// TestOldProgramIsFenced checks that a running process of a program that does not know
// about migrations can store nothing after this program has migrated its store.
func TestOldProgramIsFenced(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 3; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state", "bridge.db")
			must(t, storefile.Prepare(path))
			key, err := auth.NewKey([]byte("a master key for tests, 32 bytes"))
			must(t, err)
			must(t, sqlite.CreateVersion(path, key, version))
			old := start(t, "outdated", path)
			old.line(t)
			store, err := sqlite.Open(t.Context(), path, sqlite.Options{Key: key, Create: true})
			must(t, err)
			defer func() { must(t, store.Close()) }()
			s := bridge.New(bridge.Config{Store: store, Key: key})
			_, err = s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend"})
			must(t, err)

			ask(t, old)
			if got := old.line(t); !strings.Contains(got, "newer store") {
				t.Errorf("the old program got %s, want an error that names a newer store", got)
			}
			all, err := s.Conversations(t.Context())
			must(t, err)
			if len(all) != 1 {
				t.Errorf("there are %d conversations, want that of the new program", len(all))
			}
			if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProcessIsFenced checks that a running process of this program stores nothing
// after a newer program has migrated the store.
func TestProcessIsFenced(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	p := bridgetest.NewPair(t, e.Service(t, func(c *bridge.Config) { c.Now = nil }))
	running := start(t, "talker", arguments(e, p.A)...)
	if got := running.line(t); got != "open" {
		t.Fatalf("the process said %s", got)
	}
	ask(t, running)
	if got := running.line(t); got != "ok" {
		t.Fatalf("before the migration: %s", got)
	}
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()+1))
	ask(t, running)
	if got := running.line(t); !strings.Contains(got, "migrated to schema version") {
		t.Errorf("after the migration: %s", got)
	}
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()))
}

// TestOldProcessDoesNotCompact checks that such a process does not rewrite the store's
// file either.
func TestOldProcessDoesNotCompact(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	store := e.Store(t)
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()+1))
	if err := store.Compact(t.Context()); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("got %v, want ErrStoreNewer", err)
	}
	query(t, e.Path, fmt.Sprintf("PRAGMA user_version = %d", sqlite.SchemaVersion()))
}

// ask writes a line to a child's standard input.
func ask(t *testing.T, c *child) {
	t.Helper()
	if _, err := io.WriteString(c.stdin.(io.Writer), "hello\n"); err != nil {
		t.Fatal(err)
	}
}
