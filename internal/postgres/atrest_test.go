package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
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
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/storetest"
)

func conversion() bridge.Operation {
	// Encrypt before the clock of any test starts, because an operation advances the
	// store's clock.
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

// TestEncryptedTablesHoldNoText checks that texts written to an encrypted store are in
// no file of the server, including its write-ahead log, and that texts written before
// the encryption are in no table any more.
func TestEncryptedTablesHoldNoText(t *testing.T) {
	racetest.Skip(t)
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
		t.Fatalf("of %q only %v are in the tables of a store in clear: the search does not work", x.Words(), found)
	}
	execute(t, dsn, "ANALYZE") // puts values into the planner's statistics
	older, err := pgx.Connect(t.Context(), own.DSN())
	if err != nil {
		t.Fatal(err)
	}
	_, err = older.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
	if err != nil {
		t.Fatal(err)
	}
	// An older transaction may still see the old rows, so they are kept, and the store
	// must not count as encrypted.
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
	// ANALYZE does not replace the statistics of a table that is empty by now, so they
	// still hold values.
	execute(t, dsn, "ANALYZE")
	execute(t, dsn, "DELETE FROM steps")
	convert(t, store, true)
	execute(t, own.DSN(), "CHECKPOINT")
	if found := searchFiles(t, words(0), "no control", filepath.Join(own.Data(), "base")); len(found) > 0 {
		t.Errorf("the tables of a store that was encrypted again hold %v", found)
	}
}

// TestMovedTextsDoNotOpen swaps the texts of two messages on the server.
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

// TestInterruptedConversions interrupts conversions at any statement while sessions
// send. No text may be lost, and the next conversion must complete the interrupted one.
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

// TestConversionBesideAReader converts a store during a long read that keeps the
// conversion from taking its lock. Agents must be able to continue meanwhile, and the
// conversion must complete after the read.
func TestConversionBesideAReader(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	store := open(t, dsn, key)
	s := bridge.New(bridge.Config{Store: open(t, dsn+"&lock_timeout=10s", key), Key: key})
	p := bridgetest.NewPair(t, s)
	send(t, s, p.A, "x")
	reader := connect(t, dsn)
	if _, err := reader.Exec(t.Context(), "BEGIN; LOCK TABLE store_state IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := store.Convert(context.Background(), conversion(), true, nil)
		ended <- err
	}()
	watch := connect(t, dsn)
	bridgetest.Eventually(t, "the conversion waits for the lock", func() bool {
		var waits bool
		err := watch.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'store_state'::regclass AND NOT granted)").Scan(&waits)
		return err == nil && waits
	})
	send(t, s, p.A, "y") // queued behind the conversion, which gives up
	if _, err := reader.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("after the read: %v", err)
	}
	if state, err := store.AtRest(t.Context()); err != nil || state != atrest.On {
		t.Errorf("the encryption is %s, %v", state, err)
	}
}

// overtaker reads from a table before the first try to change its columns, and until
// that try has given up.
type overtaker struct {
	planter

	reader *pgx.Conn
	tries  int
	err    error
}

// TraceQueryStart implements pgx.QueryTracer.
func (o *overtaker) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if !strings.Contains(d.SQL, `."messages" ALTER COLUMN`) {
		return ctx
	}
	if o.tries++; o.tries == 1 {
		_, o.err = o.reader.Exec(context.Background(), "BEGIN; LOCK TABLE messages IN ACCESS SHARE MODE")
	}
	return context.WithValue(ctx, marked{}, o)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (o *overtaker) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if ctx.Value(marked{}) == o && o.tries == 1 {
		_, err := o.reader.Exec(context.Background(), "ROLLBACK")
		o.err = errors.Join(o.err, err)
	}
}

// TestReaderBetweenTwoSteps reads from a table between the rewrite of the table and the
// removal of its statistics. The second step must be retried as well.
func TestReaderBetweenTwoSteps(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	o := &overtaker{reader: connect(t, dsn)}
	store, err := postgres.OpenTraced(t.Context(), dsn, postgres.Options{Key: key, Create: true}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	convert(t, store, true)
	if o.tries != 2 || o.err != nil {
		t.Errorf("the columns were changed in %d tries, %v", o.tries, o.err)
	}
}

// TestConversionsTogether runs conversions in the middle of another one. None may end
// with a state that does not match the texts.
func TestConversionsTogether(t *testing.T) {
	postgrestest.Need(t, server)
	for name, c := range map[string]struct {
		inner bool
		state atrest.State // at the end
	}{
		"decrypted while it is encrypted": {false, atrest.Off},
		"encrypted by two":                {true, atrest.On},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
			a, b := open(t, dsn, key), open(t, dsn, key)
			s := bridge.New(bridge.Config{Store: b, Key: key})
			p := bridgetest.NewPair(t, s)
			send(t, s, p.A, "canary-of-a-message")
			begun := false
			_, err := a.Convert(t.Context(), conversion(), true, func(int64) {
				if !begun {
					begun = true
					convert(t, b, c.inner)
				}
			})
			if !errors.Is(err, sqlstore.ErrOvertaken) {
				t.Errorf("the outer conversion ended with %v", err)
			}
			if state, err := b.AtRest(t.Context()); err != nil || state != c.state {
				t.Errorf("the encryption is %s, %v", state, err)
			}
			var stored string
			if err := connect(t, dsn).QueryRow(t.Context(), "SELECT message FROM messages").Scan(&stored); err != nil || atrest.IsSealed(stored) != (c.state == atrest.On) {
				t.Errorf("stored is %q, %v", stored, err)
			}
			if left, err := b.Unopened(t.Context()); err != nil || len(left) > 0 {
				t.Errorf("do not open: %v, %v", left, err)
			}
		})
	}
}

// TestRoleOfAnEncryptedStore checks that a role with the grants of a process can use a
// store whose tables a conversion has rewritten, and cannot convert it.
func TestRoleOfAnEncryptedStore(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	ctx := t.Context()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	owner := open(t, dsn, key)
	role := "agent_" + schemaOf(t, dsn)
	execute(t, dsn, "CREATE ROLE "+role+" LOGIN")
	if err := owner.Grant(ctx, role); err != nil {
		t.Fatal(err)
	}
	columns := func() (all string) {
		err := connect(t, dsn).QueryRow(ctx, `
			SELECT string_agg(concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, column_default), '; ' ORDER BY table_name, ordinal_position)
			FROM information_schema.columns WHERE table_schema = $1`, schemaOf(t, dsn)).Scan(&all)
		if err != nil || all == "" {
			t.Fatal(all, err)
		}
		return all
	}
	before := columns()
	convert(t, owner, true)
	if after := columns(); after != before {
		t.Errorf("the columns were\n%s\nand are\n%s", before, after)
	}
	store, err := postgres.Open(ctx, strings.Replace(dsn, "postgres://bridge@", "postgres://"+role+"@", 1), postgres.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	send(t, s, p.A, "hello")
	d, err := s.Check(ctx, p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 1 || d.Messages[0].Text != "hello" {
		t.Errorf("got %+v, %v", d.Messages, err)
	}
	if _, err := store.Convert(ctx, conversion(), false, nil); !errors.Is(err, bridge.ErrStoreRefused) {
		t.Errorf("the role converts it: %v", err)
	}
	if state, err := owner.AtRest(ctx); err != nil || state != atrest.On {
		t.Errorf("the encryption is %s, %v", state, err)
	}
}

// TestPlantedTextsDoNotOpen checks that calls which only read also refuse clear texts
// in an encrypted store.
func TestPlantedTextsDoNotOpen(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	store := open(t, dsn, key)
	s := bridge.New(bridge.Config{Store: store, Key: key})
	p := bridgetest.NewPair(t, s)
	send(t, s, p.A, "hello")
	for _, want := range []string{"pay me", sqlstore.Unreadable} {
		if want == sqlstore.Unreadable {
			convert(t, store, true)
		}
		if _, err := s.AuditEntries(t.Context(), bridge.AuditQuery{}); err != nil { // seals the entries so far
			t.Fatal(err)
		}
		execute(t, dsn, "UPDATE messages SET message = 'pay me'")
		execute(t, dsn, "UPDATE audit_log SET details = 'pay me' WHERE action = 'send_to_partner'")
		logged, err := s.AuditEntries(t.Context(), bridge.AuditQuery{Conversation: p.A.Conversation})
		if err != nil || len(logged) == 0 || logged[len(logged)-1].Details != want {
			t.Errorf("got %+v, %v, want %q", logged, err, want)
		}
		heads, headed := store.UnreadHeads(t.Context(), p.B.Conversation, p.B.Session, 9)
		shown, err := s.Messages(t.Context(), p.A.Conversation, 0, 9) // a call that only reads
		if err := errors.Join(err, headed); err != nil || len(shown) != 1 || shown[0].Text != want || len(heads) != 1 || heads[0].Bytes != len("pay me[]") {
			t.Fatalf("got %+v of %+v, %v, want %q", shown, heads, err, want)
		}
	}
	if left, err := store.Unopened(t.Context()); err != nil || len(left) != 2 || left["messages.message"] != 1 || left["audit_log.details"] != 1 {
		t.Errorf("do not open: %v, %v", left, err)
	}
	d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 1 || d.Messages[0].Text != sqlstore.Unreadable {
		t.Errorf("got %+v, %v", d.Messages, err)
	}
}
