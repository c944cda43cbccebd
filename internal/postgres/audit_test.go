package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// execute runs statements directly on the database.
func execute(t testing.TB, dsn, query string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.PgConn().Exec(context.Background(), query).ReadAll(); err != nil {
		t.Fatal(query, err)
	}
}

// TestChangedLogIsFound changes each part of the log in turn, and all of one
// conversation's entries.
func TestChangedLogIsFound(t *testing.T) {
	postgrestest.Need(t, server)
	for name, query := range map[string]string{
		"an entry is changed":          "UPDATE audit_log SET outcome = 'unauthorized' WHERE link = 2 AND chain LIKE 'conv%'",
		"an entry is removed":          "DELETE FROM audit_log WHERE link = 2 AND chain = (SELECT chain FROM audit_order WHERE seq = 1)",
		"an entry is moved":            "UPDATE audit_log SET chain = 'operator', link = 99 WHERE link = 2 AND chain = (SELECT chain FROM audit_order WHERE seq = 1)",
		"two entries are swapped":      "UPDATE audit_order SET seq = -1 WHERE seq = 1; UPDATE audit_order SET seq = 1 WHERE seq = 2; UPDATE audit_order SET seq = 2 WHERE seq = -1",
		"a conversation is cut off":    "DELETE FROM audit_log WHERE chain = (SELECT chain FROM audit_order WHERE seq = 1); DELETE FROM audit_order WHERE chain = (SELECT chain FROM audit_order WHERE seq = 1)",
		"a chain's end is put back":    "UPDATE audit_chains SET link = 1 WHERE chain LIKE 'conv%'",
		"a chain's end is removed":     "DELETE FROM audit_chains WHERE chain = (SELECT chain FROM audit_order WHERE seq = 1)",
		"a new chain's end is removed": "DELETE FROM audit_chains WHERE unsealed",
		"an entry is added":            "INSERT INTO audit_log (chain, link, at, conversation, session, action, outcome, details, mac) SELECT chain, 50, at, conversation, session, action, outcome, details, mac FROM audit_log WHERE link = 1",
		"the spine is cut off":         "DELETE FROM audit_spine WHERE link = (SELECT max(link) FROM audit_spine)",
		"the spine's head is removed":  "DELETE FROM audit_head",
		"the end is cut off, whole": `DELETE FROM audit_order WHERE seq > (SELECT min(seq) FROM audit_spine);
			DELETE FROM audit_spine WHERE link > 1;
			UPDATE audit_head h SET link = 1, seq = p.seq, mac = p.mac FROM audit_spine p`,
		"unsealed entries are changed": "UPDATE audit_log SET details = '{}x' WHERE (chain, link) NOT IN (SELECT chain, link FROM audit_order)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
			store := open(t, dsn, key)
			store.StopSealing() // some of the changes are to entries that the spine does not cover yet
			s := bridge.New(bridge.Config{Store: store, Key: key})
			for range 2 {
				p := bridgetest.NewPair(t, s)
				for i := range 3 {
					send(t, s, p.A, fmt.Sprint(i))
				}
				verify(t, s) // extend the spine
			}
			head := verify(t, s)
			send(t, s, bridgetest.NewPair(t, s).A, "not sealed yet")
			execute(t, dsn, query)
			_, err := s.VerifyAudit(context.Background(), head)
			var fault *audit.Fault
			if !errors.As(err, &fault) {
				t.Errorf("got %v, want a fault", err)
			}
		})
	}
}

// TestSealedChainsAreDone checks that chains which the spine covers completely are not
// read again.
func TestSealedChainsAreDone(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn := server.Schema()
	s := quiet(t, dsn)
	p := bridgetest.NewPair(t, s)
	c := connect(t, dsn)
	for range 3 { // the first iteration also seals new entries
		send(t, s, p.A, "x")
		verify(t, s)
		var left int
		if err := c.QueryRow(t.Context(), "SELECT count(*) FROM audit_chains WHERE unsealed").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d chains wait for the spine, %v", left, err)
		}
	}
}

func send(t testing.TB, s *bridge.Service, c bridge.Credentials, text string) bridge.Sent {
	t.Helper()
	sent, err := s.Send(context.Background(), c, bridge.SendRequest{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func verify(t testing.TB, s *bridge.Service) audit.Head {
	t.Helper()
	head, err := s.VerifyAudit(context.Background(), audit.Head{})
	if err != nil {
		t.Fatal(err)
	}
	return head
}
