package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// TestMigration opens a store of the first schema, with a conversation in it.
func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "bridge.db")
	if err := storefile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	key, err := auth.NewKey([]byte("a master key for tests, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.CreateVersion(path, key, 1); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.ExecFile(path,
		`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, join_expires_at)
		 VALUES ('conv_0123456789abcdef', 'backend', 'frontend', 'blue', 1, 2, 3)`,
		`INSERT INTO session_status (conversation, session, nonce)
		 VALUES ('conv_0123456789abcdef', 'a', x'00'), ('conv_0123456789abcdef', 'b', x'01')`); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := sqlite.Open(ctx, path, sqlite.Options{Key: key}); err == nil || !strings.Contains(err.Error(), "schema version 1 of") {
		t.Errorf("a reading command: %v", err)
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{Key: key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	o, err := s.Conversation(ctx, "conv_0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	if o.TeamID != "team_0123456789abcdef" || o.Team != "blue" {
		t.Errorf("the conversation became %+v", o.Conversation)
	}
	if _, err := s.Tasks(ctx, false); err != nil {
		t.Error(err)
	}
}

// TestMigrationKeepsMail opens a store of the fourth schema that is in use.
func TestMigrationKeepsMail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "bridge.db")
	if err := storefile.Prepare(path); err != nil {
		t.Fatal(err)
	}
	key, err := auth.NewKey([]byte("a master key for tests, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.CreateVersion(path, key, 4); err != nil {
		t.Fatal(err)
	}
	const id = "conv_0123456789abcdef"
	if err := sqlite.ExecFile(path,
		`INSERT INTO conversations (id, role_a, role_b, team, team_id, created_at, expires_at, join_expires_at, joined_at)
		 VALUES ('`+id+`', 'backend', 'frontend', '', 'team_x', 1, 9000000000000000, 3, 5000000)`,
		`INSERT INTO session_status (conversation, session, nonce, status, heartbeat_at, last_seq)
		 VALUES ('`+id+`', 'a', x'00', 'working', 7000000, 0), ('`+id+`', 'b', x'01', '', 0, 1)`,
		`INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, partner_unread)
		 VALUES ('`+id+`', 'b', 1, 'a', 'info', 'hello', '["a.go"]', '[]', 6000000, 1)`); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Key: key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	o, err := s.Conversation(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Sessions[0].SeenAt.Equal(time.Unix(7, 0)) || !o.Sessions[1].SeenAt.Equal(time.Unix(5, 0)) || !o.Sessions[1].Joined() || o.Sessions[1].Unread != 1 {
		t.Errorf("the sessions became %+v and %+v", o.Sessions[0], o.Sessions[1])
	}
	messages, err := s.Messages(t.Context(), id, 0, 10)
	if err != nil || len(messages) != 1 || messages[0].Text != "hello" {
		t.Errorf("the messages became %+v, %v", messages, err)
	}
}

// TestFailedMigrationChangesNothing: a migration that fails at its very end leaves a store
// of each version as it was, to the byte, and the next one succeeds.
func TestFailedMigrationChangesNothing(t *testing.T) {
	key, err := auth.NewKey([]byte("a master key for tests, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	for version := 1; version <= sqlite.SchemaVersion(); version++ {
		path := filepath.Join(t.TempDir(), "state", "bridge.db")
		if err := errors.Join(storefile.Prepare(path), sqlite.CreateVersion(path, key, version), sqlite.ExecFile(path,
			`INSERT INTO conversations (id, role_a, role_b, team, created_at, expires_at, join_expires_at)
			 VALUES ('conv_0123456789abcdef', 'backend', 'frontend', 'blue', 1, 2, 3)`,
			`INSERT INTO session_status (conversation, session, nonce)
			 VALUES ('conv_0123456789abcdef', 'a', x'00'), ('conv_0123456789abcdef', 'b', x'01')`)); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := sqlite.MigrateAndFail(path, sqlite.Options{Key: key}); err == nil || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("version %d: the migration ended with %v", version, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("version %d: the file was changed, %v", version, err)
		}
		if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
			t.Errorf("version %d: a log of %d bytes is left", version, log.Size())
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Key: key, Create: true})
		if err != nil {
			t.Errorf("version %d: the next migration: %v", version, err)
			continue
		}
		if _, err := s.Conversation(t.Context(), "conv_0123456789abcdef"); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
