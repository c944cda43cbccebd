package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/storetest"
)

// server is the server for all tests of the package; nil if none is installed.
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

// TestEncryptedStore runs the whole store contract on an encrypted store.
func TestEncryptedStore(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: the same tests run on a store in clear")
	}
	postgrestest.Need(t, server)
	storetest.Run(t, func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		dsn := server.Schema()
		first := open(t, dsn, key)
		execute(t, dsn, fmt.Sprintf("UPDATE schema_version SET version = %d", atrest.On.Mark(int64(postgres.SchemaVersion()))))
		return first, open(t, dsn, key)
	})
}

// TestMadeAtOnce lets several processes create one store at the same time. All must get
// the same store, and a process that only opens it must find it complete.
func TestMadeAtOnce(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			s, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key, Create: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = s.Close() }()
			service := bridge.New(bridge.Config{Store: s, Key: key})
			if _, err := service.Create(context.Background(), bridge.CreateRequest{MyRole: "one", PartnerRole: "other"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s, err := postgres.Open(context.Background(), dsn, postgres.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if made, err := s.Conversations(context.Background()); err != nil || len(made) != 6 {
		t.Errorf("got %d conversations, %v, want 6", len(made), err)
	}
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
