package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

// newerSchema is the script of a newer program.
const newerSchema = "CREATE TABLE later (one bigint); ALTER TABLE messages ADD COLUMN later bigint"

// TestFailedMigration checks that after a failed migration the schema is unchanged and
// programs can use it as before.
func TestFailedMigration(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	store := open(t, dsn, key)
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	for _, script := range []string{newerSchema + "; SELECT 1/0", "DROP TABLE audit_log; nonsense", "SELECT missing FROM messages"} {
		if err := store.Migrate(t.Context(), newerSchema, script); err == nil {
			t.Errorf("%q did not fail", script)
		}
	}
	send(t, s, p.A, "goes on")
	verify(t, s)
	again := open(t, dsn, key)
	if messages, err := again.Messages(t.Context(), p.A.Conversation, 0, 9); err != nil || len(messages) != 1 {
		t.Errorf("got %d messages, %v", len(messages), err)
	}
	if err := store.Migrate(t.Context(), newerSchema); err != nil {
		t.Errorf("nothing of the failed ones may be left: %v", err)
	}
}

// TestOlderProgramsAreFencedOff migrates a store while processes of an older program
// write to it, and starts another such process afterwards. From then on none of them
// may write, everything acknowledged must be there, and the log must verify.
func TestOlderProgramsAreFencedOff(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	newer := open(t, dsn, key)
	type process struct {
		pair bridgetest.Pair
		sent int
		err  error
	}
	begun, ended := make(chan struct{}), make(chan process)
	const writers = 4
	for range writers {
		s := bridge.New(bridge.Config{Store: open(t, dsn, key), Key: key})
		p := process{pair: bridgetest.NewPair(t, s)}
		go func() {
			for i := 0; p.err == nil; i++ {
				if _, p.err = s.Send(context.Background(), p.pair.A, bridge.SendRequest{Text: strconv.Itoa(i)}); p.err == nil {
					p.sent++
				}
				if i == 2 {
					begun <- struct{}{}
				}
			}
			ended <- p
		}()
	}
	for range writers {
		<-begun
	}
	if err := newer.Migrate(t.Context(), newerSchema); err != nil {
		t.Fatal(err)
	}
	for range writers {
		p := <-ended
		if !errors.Is(p.err, bridge.ErrStoreNewer) {
			t.Errorf("a process that ran ended with %v", p.err)
		}
		messages, err := newer.Messages(t.Context(), p.pair.A.Conversation, 0, 10_000)
		if err != nil || len(messages) != p.sent {
			t.Errorf("%d messages are there of %d that were acknowledged, %v", len(messages), p.sent, err)
		}
	}
	if _, err := postgres.Open(t.Context(), dsn, postgres.Options{Key: key}); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("a process that begins later got %v", err)
	}
	if _, err := postgres.Open(t.Context(), dsn, postgres.Options{Key: key, Create: true}); !errors.Is(err, bridge.ErrStoreNewer) {
		t.Errorf("one that would migrate got %v", err)
	}
	execute(t, dsn, "UPDATE schema_version SET version = "+strconv.Itoa(postgres.SchemaVersion()))
	s := bridge.New(bridge.Config{Store: newer, Key: key})
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}

// TestDigestsOfOlderPrograms migrates a schema with requests whose digests were not
// keyed yet. None of those digests may be left, and every request that could still run
// must end.
func TestDigestsOfOlderPrograms(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	p := bridgetest.NewPair(t, bridge.New(bridge.Config{Store: open(t, dsn, key), Key: key}))
	execute(t, dsn, `
		INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode, sandbox, image, network, access,
		                              timeout, nonce, digest, state, created_at, expires_at)
		SELECT '`+p.A.Conversation+`', 'a', 'ls', '{}', 'safe', '/w', 1, 2, 'bubblewrap', '', false, '{}',
		       1, 'x', sha256(state::bytea), state, 1, 9000000000000000
		FROM unnest(ARRAY['pending', 'approved', 'denied', 'consumed', 'cancelled']) state`)
	execute(t, dsn, "UPDATE schema_version SET version = 2")
	_, err := postgres.Open(t.Context(), dsn, postgres.Options{Key: key})
	if err == nil || !strings.Contains(err.Error(), "bridge store init") {
		t.Errorf("before the migration: %v", err)
	}
	all, err := open(t, dsn, key).Commands(t.Context(), commands.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, r := range all {
		states = append(states, string(r.State))
		if !bytes.Equal(r.Digest, make([]byte, sha256.Size)) {
			t.Errorf("a request that is %s has the digest %x", r.State, r.Digest)
		}
	}
	slices.Sort(states)
	if got := strings.Join(states, " "); got != "cancelled cancelled cancelled consumed denied" {
		t.Errorf("the requests are %s", got)
	}
}
