package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
)

// TestUndoneIsDoneAgain makes the server abort a send again and again, as it does in a
// deadlock. The send must be repeated and stored once, unless the aborts never end.
func TestUndoneIsDoneAgain(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	for _, code := range []string{"40001", "40P01"} {
		dsn := server.Schema()
		s := quiet(t, dsn)
		p := bridgetest.NewPair(t, s)
		undo := func(times int) {
			execute(t, dsn, fmt.Sprintf(`
				DROP TRIGGER IF EXISTS undo ON messages; DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;
				CREATE OR REPLACE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN
					IF nextval('tries') <= %d THEN RAISE EXCEPTION 'undone' USING ERRCODE = '%s'; END IF;
					RETURN new;
				END $$;
				CREATE TRIGGER undo BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION undo()`, times, code))
		}
		undo(7)
		send(t, s, p.A, "x")
		undo(1_000_000)
		if _, err := s.Send(context.Background(), p.A, bridge.SendRequest{Text: "y"}); !errors.Is(err, bridge.ErrStoreBusy) {
			t.Errorf("%s: got %v where it never ends, want %v", code, err, bridge.ErrStoreBusy)
		}
		undo(0)
		send(t, s, p.A, "z")
		d, err := s.Check(context.Background(), p.B, bridge.CheckRequest{}, nil)
		if err != nil || len(d.Messages) != 2 || d.Messages[0].Text != "x" || d.Messages[1].Seq != 2 {
			t.Errorf("%s: got %+v, %v, want x and z", code, d.Messages, err)
		}
		verify(t, s)
	}
}

// connect returns a separate connection to the schema of a store.
func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// TestLockedForLong keeps a conversation locked, as a client does that was stopped
// within a transaction. Other calls for it must report a busy store after at most
// lock_timeout, while other conversations continue. Callers without a valid token,
// including one that has just been replaced, must not wait for the lock.
func TestLockedForLong(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	ctx := context.Background()
	dsn := server.Schema()
	s := quiet(t, dsn+"&lock_timeout=300ms")
	held, free := bridgetest.NewPair(t, s), bridgetest.NewPair(t, s)
	forged, former := held.A, held.B
	forged.Token = free.A.Token
	send(t, s, former, "x")
	if _, err := s.RotateToken(ctx, former.Conversation, former.Session); err != nil {
		t.Fatal(err)
	}
	refused := func(who string, c bridge.Credentials) {
		t.Helper()
		if _, err := s.Send(ctx, c, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrUnauthorized) {
			t.Errorf("%s: got %v, want %v", who, err, bridge.ErrUnauthorized)
		}
	}
	refused("who was a session", former)
	c := connect(t, dsn)
	tx, err := c.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "SELECT 1 FROM audit_chains WHERE chain = $1 FOR UPDATE", held.A.Conversation); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(ctx, held.A, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrStoreBusy) {
		t.Errorf("got %v while the conversation is locked, want %v", err, bridge.ErrStoreBusy)
	}
	refused("a stranger", forged)
	refused("who was a session, again", former)
	send(t, s, free.A, "x")
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	send(t, s, held.A, "x")
}

// TestMoveBesideAReader moves a store while a reader goes on to further tables. The
// move must wait for the reader and must not block it.
func TestMoveBesideAReader(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	for _, table := range []string{"conversations", "store_state", "schema_version"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			moveBesideAReader(t, table)
		})
	}
}

func moveBesideAReader(t *testing.T, table string) {
	t.Helper()
	ctx := t.Context()
	dsn, key := server.Schema(), bridgetest.NewEnv(t).Key
	read := open(t, dsn, key)
	mover := open(t, dsn+"&deadlock_timeout=10min", key) // in a deadlock the server aborts the reader
	watch, moved := connect(t, dsn), make(chan error, 1)
	tables := 0
	err := read.Snapshot(ctx, func(rows postgres.Rows) error {
		count := func([]any) error {
			tables++
			return nil
		}
		if err := rows("SELECT count(*) FROM task_events", 1, count); err != nil {
			return err
		}
		go func() {
			op := bridge.New(bridge.Config{Store: mover, Key: key}).OperatorOperation("move_store", "")
			moved <- mover.Move(context.Background(), op, func(postgres.Rows) error { return nil })
		}()
		bridgetest.Eventually(t, "the move waits", func() bool {
			var waits bool
			err := watch.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
				WHERE c.relnamespace = current_schema()::regnamespace AND NOT l.granted)`).Scan(&waits)
			return err == nil && waits
		})
		return rows("SELECT count(*) FROM "+table, 1, count)
	})
	if err != nil || tables != 2 {
		t.Errorf("the reader came to %d tables: %v", tables, err)
	}
	if err := <-moved; err != nil {
		t.Errorf("the move after it: %v", err)
	}
}
