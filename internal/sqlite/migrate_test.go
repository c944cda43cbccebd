//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
)

// TestMigration opens a store of the first schema that holds a conversation.
func TestMigration(t *testing.T) {
	t.Parallel()
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
	if _, err := sqlite.Open(ctx, path, sqlite.Options{Key: key}); err == nil || !strings.Contains(err.Error(), "has schema version 1, and this program needs") {
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
	t.Parallel()
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

// TestDigestsOfOlderPrograms opens a store with requests whose digests were not keyed
// yet. The file must hold none of those digests afterwards, no approved request may
// run, and the operator must see why requests no longer wait.
func TestDigestsOfOlderPrograms(t *testing.T) {
	t.Parallel()
	for _, state := range []atrest.State{atrest.Off, atrest.On} {
		t.Run("encryption "+state.String(), func(t *testing.T) {
			t.Parallel()
			env, ran := bridgetest.NewEnv(t), filepath.Join(t.TempDir(), "ran")
			must(t, env.Store(t).Close())
			core, s, store, err := commandService(env.Path, ran)
			must(t, err)
			if state == atrest.On {
				convert(t, store, true)
			}
			p := bridgetest.NewPair(t, core)
			openSafe(t, s, p.A)
			last := func(command string) commands.Request {
				_, err := s.Execute(t.Context(), p.A, commands.Call{Command: command}, nil)
				must(t, err)
				all, err := s.Commands(t.Context(), commands.Query{})
				must(t, err)
				return all[0]
			}
			approve := func(r commands.Request) error {
				_, _, err := s.Approve(t.Context(), commands.ApproveRequest{Request: r, Where: "test"})
				return err
			}
			done := last("ls -a")
			must(t, approve(done))
			last("ls -a") // runs it
			must(t, s.Deny(t.Context(), last("ls -l"), "test"))
			must(t, approve(last("ls -r")))
			last("ls -t")
			before := unkeyed(t, s)
			must(t, store.Close())
			for id, digest := range before {
				query(t, env.Path, fmt.Sprintf("UPDATE command_requests SET digest = x'%x' WHERE id = %d", digest, id))
			}
			query(t, env.Path, fmt.Sprintf("PRAGMA user_version = %d", state.Mark(19)))
			if n := inFile(t, env.Path, before); n != 4 {
				t.Fatalf("%d of 4 digests are in the file: the search does not work", n)
			}
			if _, _, _, err := commandService(env.Path, ran); err == nil || !strings.Contains(err.Error(), "restarting an agent's client") {
				t.Errorf("before the update: %v", err)
			}

			must(t, env.Store(t).Close()) // updates it
			if n := inFile(t, env.Path, before); n != 0 {
				t.Errorf("%d digests are in the file", n)
			}
			core, s, store, err = commandService(env.Path, ran)
			must(t, err)
			defer func() { must(t, store.Close()) }()
			all, err := s.Commands(t.Context(), commands.Query{})
			must(t, err)
			var states []string
			for _, r := range all {
				states = append(states, r.Command+" "+string(r.State))
				if err := approve(r); !errors.Is(err, commands.ErrDecided) {
					t.Errorf("%s: approved again it is %v", r.Command, err)
				}
				err := r.Waits(core.Now())
				if err == nil || strings.Contains(err.Error(), "an older version of bridge made it") != (r.State == commands.StateCancelled) {
					t.Errorf("%s: it does not wait: %v", r.Command, err)
				}
			}
			if got := strings.Join(states, ", "); got != "ls -t cancelled, ls -r cancelled, ls -l denied, ls -a consumed" {
				t.Errorf("the requests are %s", got)
			}
			again := last("ls -r")
			if content, err := os.ReadFile(ran); err != nil || bytes.Count(content, []byte("\n")) != 1 || again.State != commands.StatePending {
				t.Errorf("after the update the approved command is %s, and %q ran, %v", again.State, content, err)
			}
			must(t, approve(again))
		})
	}
}

// unkeyed returns digests as older programs computed them: over the clear fields and
// the command.
func unkeyed(t *testing.T, s *commands.Service) map[int64][]byte {
	t.Helper()
	all, err := s.Commands(t.Context(), commands.Query{})
	must(t, err)
	digests := map[int64][]byte{}
	for _, r := range all {
		sum := guard.ApprovalRequest{
			Conversation: r.Conversation, Session: string(r.Session), Command: r.Command, Plan: &r.Plan, Mode: r.Mode, Workspace: r.Workspace,
			Device: r.Folder.Device, Inode: r.Folder.Inode, Sandbox: string(r.Sandbox) + " " + r.Image, Network: r.Network, Timeout: r.Timeout, Nonce: r.Nonce,
		}.Digest()
		digests[r.ID] = sum[:]
	}
	return digests
}

// inFile returns how many of the digests are in a store's file. No process may have it
// open.
func inFile(t *testing.T, path string, digests map[int64][]byte) (n int) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	for _, digest := range digests {
		if bytes.Contains(content, digest) {
			n++
		}
	}
	return n
}

// TestFailedMigrationChangesNothing checks, for a store of each version, that a
// migration that fails at its very end leaves the file byte for byte as it was, and
// that the next migration succeeds.
func TestFailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
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
