package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestRoleCanOnlyAppend lets a role with the grants of a process work with a store,
// and try to change what it must not.
func TestRoleCanOnlyAppend(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	ctx := context.Background()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	owner := open(t, dsn, key)
	role := "agent_" + schemaOf(t, dsn)
	if err := owner.Grant(ctx, role); err == nil {
		t.Error("granted to a role that is not there")
	}
	execute(t, dsn, "CREATE ROLE "+role+" LOGIN")
	if err := owner.Grant(ctx, role); err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(dsn, "postgres://bridge@", "postgres://"+role+"@", 1)
	store, err := postgres.Open(ctx, own, postgres.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	send(t, s, p.A, "x")
	d, err := s.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 1 {
		t.Fatal(d.Messages, err)
	}
	if err := s.Confirm(ctx, d.Claim); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cleanup(ctx, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	for _, query := range []string{
		"UPDATE audit_log SET outcome = 'ok'", "DELETE FROM audit_log", "TRUNCATE audit_log",
		"UPDATE audit_order SET seq = 0", "DELETE FROM audit_spine", "DELETE FROM audit_chains", "DELETE FROM audit_head",
		"UPDATE store SET key_check = ''", "DROP TABLE messages", "CREATE TABLE more (one bigint)", "UPDATE schema_version SET version = 9",
	} {
		if !denied(t, own, query) {
			t.Errorf("the role may %s", query)
		}
	}
	if err := store.Grant(ctx, role); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("got %v when the role grants itself more", err)
	}
}

func denied(t *testing.T, dsn, query string) bool {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	_, err = c.Exec(context.Background(), query)
	return err != nil && strings.Contains(err.Error(), "42501")
}
