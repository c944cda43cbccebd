package postgres_test

import (
	"context"
	"os"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/storetest"
)

// server is the one for all tests of the package; nil where none is installed.
var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Main(m, &server, "fsync=off", "synchronous_commit=on", "full_page_writes=off"))
}

func TestStore(t *testing.T) {
	postgrestest.Need(t, server)
	storetest.Run(t, func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		dsn := server.Schema()
		return open(t, dsn, key), open(t, dsn, key)
	})
}

func open(t *testing.T, dsn string, key auth.Key) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
