package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/storetest"
)

func conversion() bridge.Operation {
	// Before the clock of any test: an operation moves that of its store.
	return bridge.Operation{Now: time.Unix(1_600_000_000, 0), Actor: bridge.Operator, Action: "test", Details: bridge.Details{}}
}

// convert encrypts or decrypts a store.
func convert(t *testing.T, s *postgres.Store, on bool) {
	t.Helper()
	if done, err := s.Convert(t.Context(), conversion(), on, nil); err != nil || done.Statistics {
		t.Fatalf("%+v, %v", done, err)
	}
	_, want := atrest.Turning(on)
	if state, err := s.AtRest(t.Context()); err != nil || state != want {
		t.Fatalf("the encryption is %s, %v", state, err)
	}
}

// TestEncryptedTablesHoldNoText: what is written to a store that is encrypted is in no
// file of its server, the server's log of changes included; what was written before is in
// no table any more.
func TestEncryptedTablesHoldNoText(t *testing.T) {
	postgrestest.Need(t, server)
	own, err := postgrestest.Start("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}()
	var dsn string
	x := storetest.NewTexts(t, func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		dsn = own.Schema()
		return open(t, dsn, key), open(t, dsn, key)
	})
	store := x.Store().(*postgres.Store)
	words := func(from int) map[string][]byte {
		all := map[string][]byte{}
		for _, word := range x.Words()[from:] {
			all[word] = []byte(word)
		}
		return all
	}
	x.Write(t)
	execute(t, own.DSN(), "CHECKPOINT")
	if found := searchFiles(t, words(0), "no control", filepath.Join(own.Data(), "base")); len(found) != len(x.Words()) {
		t.Fatalf("of %q only %v are in the tables of a store in clear: the search is no good", x.Words(), found)
	}
	execute(t, dsn, "ANALYZE") // the planner's statistics keep values
	older, err := pgx.Connect(t.Context(), own.DSN())
	if err != nil {
		t.Fatal(err)
	}
	_, err = older.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
	if err != nil {
		t.Fatal(err)
	}
	// It may see the rows of before: they stay, and the store is not called encrypted.
	if _, err := store.Convert(t.Context(), conversion(), true, nil); !errors.Is(err, bridge.ErrStoreBusy) {
		t.Errorf("beside an older transaction: %v", err)
	}
	if state, err := store.AtRest(t.Context()); err != nil || state != atrest.TurningOn {
		t.Errorf("the encryption is %s, %v", state, err)
	}
	if err := older.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	convert(t, store, true)
	execute(t, own.DSN(), "CHECKPOINT")
	if found := searchFiles(t, words(0), "no control", filepath.Join(own.Data(), "base")); len(found) > 0 {
		t.Errorf("the tables of an encrypted store hold %v", found)
	}
	before := len(x.Words())
	x.Write(t)
	x.Check(t)
	execute(t, own.DSN(), "CHECKPOINT")
	if found := searchFiles(t, words(before), "no control", own.Data(), own.Log()); len(found) > 0 {
		t.Errorf("the server of an encrypted store holds %v", found)
	}
	convert(t, store, false)
	x.Check(t)
	// Statistics of a table that is empty by now stay, and keep values.
	execute(t, dsn, "ANALYZE")
	execute(t, dsn, "DELETE FROM steps")
	convert(t, store, true)
	execute(t, own.DSN(), "CHECKPOINT")
	if found := searchFiles(t, words(0), "no control", filepath.Join(own.Data(), "base")); len(found) > 0 {
		t.Errorf("the tables of a store that was encrypted again hold %v", found)
	}
}

// TestMovedTextsDoNotOpen exchanges the texts of two messages on the server.
func TestMovedTextsDoNotOpen(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	store := open(t, dsn, key)
	convert(t, store, true)
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	for _, text := range []string{"pay one", "pay two", "pay three"} {
		if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, dsn, "UPDATE messages m SET message = o.message FROM messages o WHERE m.id IN (1, 2) AND o.id = 3 - m.id")
	d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 3 {
		t.Fatalf("got %d messages, %v", len(d.Messages), err)
	}
	for i, want := range []string{sqlstore.Unreadable, sqlstore.Unreadable, "pay three"} {
		if d.Messages[i].Text != want {
			t.Errorf("message %d says %q", i+1, d.Messages[i].Text)
		}
	}
}

// TestInterruptedConversions lets sessions send while conversions are broken off at any
// statement: no text is lost, and the next conversion completes the last.
func TestInterruptedConversions(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	store := open(t, dsn, key)
	s := bridge.New(bridge.Config{Store: open(t, dsn, key), Key: key})
	p := bridgetest.NewPair(t, s)
	const each, rounds = 40, 8
	var sending sync.WaitGroup
	for round := range rounds {
		sending.Go(func() {
			for n := range each {
				if _, err := s.Send(context.Background(), p.A, bridge.SendRequest{Text: fmt.Sprintf("text %d", round*each+n)}); err != nil {
					t.Error(err)
				}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(150*time.Millisecond))))
		_, _ = store.Convert(ctx, conversion(), round%2 == 0, nil)
		cancel()
		sending.Wait()
	}
	for _, on := range []bool{true, false} {
		convert(t, store, on)
		all, err := s.Messages(t.Context(), p.A.Conversation, 0, each*rounds+1)
		if err != nil || len(all) != each*rounds {
			t.Fatalf("got %d messages, %v", len(all), err)
		}
		for i, m := range all {
			if m.Text != fmt.Sprintf("text %d", i) {
				t.Fatalf("message %d says %q", i, m.Text)
			}
		}
	}
	if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
		t.Error(err)
	}
}
