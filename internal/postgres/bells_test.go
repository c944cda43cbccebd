package postgres_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
	dbserver "example.org/bridge/internal/postgres/server"
)

// gateway returns a service with its own store and doorbells, like one process.
func gateway(t *testing.T, dsn string, key bridge.Key) (*bridge.Service, *dbserver.Bells) {
	t.Helper()
	store := open(t, dsn, key)
	bells := store.Bells()
	t.Cleanup(func() { _ = bells.Close() })
	return bridge.New(bridge.Config{Store: store, Key: key, Doorbells: bells}), bells
}

func TestRingsReachOtherProcesses(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	_, a := gateway(t, dsn, key)
	_, b := gateway(t, dsn, key)
	rings, stop, err := b.Listen("one/b")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := b.Listen("two/b")
	if err != nil {
		t.Fatal(err)
	}
	awaitRing(t, rings) // both are woken once the connection listens
	awaitRing(t, other)
	for range 50 {
		a.Ring("one/b")
		awaitRing(t, rings)
	}
	select {
	case <-other:
		t.Error("a ring for another key arrived")
	default:
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestRingsWaitForNoDisk checks that rings arrive even though commits cannot be
// acknowledged because a required synchronous standby is missing.
func TestRingsWaitForNoDisk(t *testing.T) {
	t.Parallel()
	own := postgrestest.ForTest(t)
	dsn, key := own.Schema(), bridgetest.NewEnv(t).Key
	_, a := gateway(t, dsn, key)
	_, b := gateway(t, dsn, key)
	rings, stop, err := b.Listen("one/b")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stop() }()
	awaitRing(t, rings)
	execute(t, dsn, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	execute(t, dsn, "SELECT pg_reload_conf()")
	c := connect(t, dsn)
	bridgetest.Eventually(t, "the server to read its settings", func() bool {
		var names string
		if err := c.QueryRow(t.Context(), "SHOW synchronous_standby_names").Scan(&names); err != nil {
			t.Fatal(err)
		}
		return names == "nobody"
	})
	for range 3 {
		a.Ring("one/b")
		awaitRing(t, rings)
	}
	log, err := os.ReadFile(own.Log())
	if err != nil {
		t.Fatal(err)
	}
	// The server logs this when a commit that waits for the standby is cancelled.
	if strings.Contains(string(log), "wait for synchronous replication") {
		t.Error("a ring waited for the standby")
	}
}

func awaitRing(t *testing.T, rings <-chan struct{}) {
	t.Helper()
	select {
	case <-rings:
	case <-time.After(30 * time.Second):
		t.Fatal("no ring arrived")
	}
}

// TestLostListener drops the listening connections again and again while a session
// waits. Each message must be delivered by the two-second wait during which it is sent.
func TestLostListener(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	sender, _ := gateway(t, dsn, key)
	receiver, _ := gateway(t, dsn, key)
	p := bridgetest.NewPair(t, sender)
	drop := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%bridge_" + schemaOf(t, dsn) + "%' AND pid <> pg_backend_pid()"
	for range 5 {
		got := make(chan bridge.Delivery, 1)
		go func() {
			d, err := receiver.Check(context.Background(), p.B, bridge.CheckRequest{Wait: 2 * time.Second}, nil)
			if err != nil {
				t.Error(err)
			}
			got <- d
		}()
		execute(t, dsn, drop)
		send(t, sender, p.A, "x")
		d := <-got
		if len(d.Messages) != 1 {
			t.Fatalf("%d messages came, want 1", len(d.Messages))
		}
		if err := receiver.Confirm(context.Background(), d.Claim); err != nil {
			t.Fatal(err)
		}
	}
}

func schemaOf(t testing.TB, dsn string) string {
	t.Helper()
	c, err := dbserver.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c.Schema
}

func TestClockIsTheServers(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	store := open(t, server.Schema(), bridgetest.NewEnv(t).Key)
	clock, err := store.Clock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = clock.Close() }()
	if off := time.Since(clock.Now()).Abs(); off > clock.Unsure()+time.Second { // the server is on the same machine
		t.Errorf("the clock is off by %s, and says that it is unsure by %s", off, clock.Unsure())
	}
	if first, second := clock.Now(), clock.Now(); second.Before(first) {
		t.Error("the clock goes back")
	}
}
