package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	pgserver "example.org/bridge/internal/postgres/server"
)

// TestScratch checks that a scratch store has its own schema, which is gone once it is
// dropped, and that the store in the connection string is not touched.
func TestScratch(t *testing.T) {
	t.Parallel()
	postgrestest.Need(t, server)
	dsn := server.Schema()
	open := func(dsn string) {
		s, err := postgres.Open(t.Context(), dsn, postgres.Options{Key: bridgetest.NewEnv(t).Key, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	schemas := func(names ...string) (n int) {
		c, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(t.Context()) }()
		err = c.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname = ANY($1)", names).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	open(dsn)
	scratch, drop, err := pgserver.Scratch(dsn)
	if err != nil {
		t.Fatal(err)
	}
	open(scratch)
	if n := schemas(schemaOf(t, dsn), schemaOf(t, scratch)); n != 2 {
		t.Errorf("%d schemas, want the store's and the scratch one", n)
	}
	for range 2 { // dropping again is not an error
		if err := drop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := schemas(schemaOf(t, dsn), schemaOf(t, scratch)); n != 1 {
		t.Errorf("%d schemas, want the store's", n)
	}
	if _, _, err := pgserver.Scratch("postgres://%zz"); err == nil {
		t.Error("a broken string is taken")
	}
}
