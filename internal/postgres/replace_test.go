package postgres_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
	pgserver "example.org/bridge/internal/postgres/server"
)

// TestReplacement puts a store in place of another one. That must be refused while a
// process is connected to the old one, and must otherwise happen as a whole. The old
// store must be kept under another name and open there.
func TestReplacement(t *testing.T) {
	t.Parallel()
	postgrestest.Need(t, server)
	ctx, dsn, key := t.Context(), server.Schema(), bridgetest.NewEnv(t).Key
	old := open(t, dsn, key)
	before := bridgetest.NewPair(t, bridge.New(bridge.Config{Store: old, Key: key})).A.Conversation
	role := "reader_" + schemaOf(t, dsn)
	execute(t, dsn, "CREATE ROLE "+role+" LOGIN")
	if err := old.Grant(ctx, role); err != nil {
		t.Fatal(err)
	}
	if roles, err := pgserver.Grantees(ctx, dsn); err != nil || !slices.Equal(roles, []string{role}) {
		t.Errorf("roles %v, %v", roles, err)
	}
	fresh, drop, err := pgserver.Scratch(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = drop(t.Context()) }) // if the test has failed; otherwise it is gone
	made := open(t, fresh, key)
	after := bridgetest.NewPair(t, bridge.New(bridge.Config{Store: made, Key: key})).A.Conversation
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}

	r := pgserver.Replacement{DSN: dsn, Fresh: fresh, Now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	if aside, err := r.Run(ctx); !errors.Is(err, bridge.ErrStoreBusy) || aside != "" {
		t.Fatalf("while a process is connected: %q, %v", aside, err)
	}
	if !holds(t, dsn, key, before) || !holds(t, fresh, key, after) {
		t.Fatal("a refused replacement changed something")
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	r.Timeout = time.Minute // the server takes a moment to notice that a process has ended
	aside, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !holds(t, dsn, key, after) || holds(t, dsn, key, before) {
		t.Error("the store is not the new one")
	}
	kept := server.DSN() + "&search_path=" + aside
	if !holds(t, kept, key, before) {
		t.Error("the old store does not have what it had")
	}
}

// TestReplacementRefused checks that if the target is not a store, it stays where it
// is, and so does the new store.
func TestReplacementRefused(t *testing.T) {
	t.Parallel()
	postgrestest.Need(t, server)
	foreign, empty := server.Schema(), server.Schema()
	execute(t, foreign, "CREATE SCHEMA "+schemaOf(t, foreign)+"; CREATE TABLE "+schemaOf(t, foreign)+".orders (id bigint)")
	execute(t, empty, "CREATE SCHEMA "+schemaOf(t, empty))
	tests := []struct {
		name, dsn string
		want      error
	}{
		{"another's tables", foreign, bridge.ErrStoreForeign},
		{"the public schema", server.DSN() + "&search_path=public", bridge.Invalid("search_path", "is public, where others may have objects: restore into a schema that does not exist yet")},
		{"an empty schema", empty, nil},
		{"no schema", server.Schema(), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fresh, drop, err := pgserver.Scratch(tt.dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = drop(t.Context()) })
			execute(t, fresh, "CREATE SCHEMA "+schemaOf(t, fresh)+"; CREATE TABLE "+schemaOf(t, fresh)+".store (id bigint)")
			aside, err := pgserver.Replacement{DSN: tt.dsn, Fresh: fresh, Now: time.Now()}.Run(t.Context())
			if !errors.Is(err, tt.want) && (err == nil || tt.want == nil || err.Error() != tt.want.Error()) || aside != "" {
				t.Errorf("%q, %v", aside, err)
			}
			if taken := !exists(t, fresh); taken != (tt.want == nil) {
				t.Errorf("the new schema has another name: %t", taken)
			}
		})
	}
}

// holds reports whether the store has a conversation.
func holds(t *testing.T, dsn string, key bridge.Key, conversation string) bool {
	t.Helper()
	store := open(t, dsn, key)
	all, err := bridge.New(bridge.Config{Store: store, Key: key}).Conversations(t.Context())
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(o bridge.Overview) bool { return o.ID == conversation })
}

// exists reports whether a schema is there.
func exists(t *testing.T, dsn string) (there bool) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	if err := c.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", schemaOf(t, dsn)).Scan(&there); err != nil {
		t.Fatal(err)
	}
	return there
}
