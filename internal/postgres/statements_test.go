package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/storetest"
)

// planter replaces one statement of calls with a marked context by one that fails. The
// store's background work is not affected.
type planter struct {
	dsn string

	mutex   sync.Mutex
	left    int // statements until the fault; 0 for none
	planted bool
}

// The failing statement, and the server's error code for it.
const (
	failing        = "SELECT 1 / 0"
	divisionByZero = "22012"
)

func (p *planter) arm(nth int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.left, p.planted = nth, false
}

func (p *planter) hit() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.planted
}

// TraceQueryStart implements pgx.QueryTracer.
func (p *planter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (p *planter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer. BEGIN and COMMIT are tested elsewhere
// (TestCutConnection).
func (p *planter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	if ctx.Value(marked{}) == nil {
		return ctx
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, q := range d.Batch.QueuedQueries {
		switch first, _, _ := strings.Cut(strings.TrimSpace(q.SQL), " "); {
		case first == "BEGIN", first == "COMMIT", first == "ROLLBACK", p.left == 0:
			continue
		}
		if p.left--; p.left == 0 {
			q.SQL, q.Arguments, p.planted = failing, nil, true
		}
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (p *planter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (p *planter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func TestEachStatementFails(t *testing.T) {
	racetest.Skip(t)
	postgrestest.Need(t, server)
	var planters sync.Map // by store
	storetest.EachStatementFails(t, func(t *testing.T, key auth.Key) (a, b storetest.Store) {
		p := &planter{dsn: server.Schema()}
		store, err := postgres.OpenTraced(t.Context(), p.dsn, postgres.Options{Key: key, Create: true}, p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		planters.Store(store, p)
		return store, store
	}, func(t *testing.T, s storetest.Store) storetest.Faults {
		of, _ := planters.Load(s)
		p := of.(*planter)
		return storetest.Faults{
			Mark: func(ctx context.Context) context.Context { return context.WithValue(ctx, marked{}, true) },
			Arm:  p.arm, Hit: p.hit,
			// Statements after a failed one get another code: 25P02.
			Is:      func(err error) bool { return err != nil && strings.Contains(err.Error(), divisionByZero) },
			Content: content(t, p.dsn),
		}
	})
}

// content returns a function that reads all tables of a store, except those that the
// background sealer changes.
func content(t *testing.T, dsn string) func() string {
	t.Helper()
	c := connect(t, dsn)
	var parts []string
	rows, err := c.Query(t.Context(), `
		SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()
		AND tablename NOT IN ('audit_spine', 'audit_order', 'audit_sealed', 'audit_head', 'audit_chains') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		parts = append(parts, fmt.Sprintf("SELECT '%[1]s ' || t::text FROM %[1]s t", name))
	}
	all := strings.Join(parts, " UNION ALL ") + " ORDER BY 1"
	return func() string {
		rows, err := c.Query(context.Background(), all)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
}

// TestEachStatementOfAMoveFails checks that if any statement fails, the move reports it
// and the store can be used as before.
func TestEachStatementOfAMoveFails(t *testing.T) {
	racetest.Skip(t)
	postgrestest.Need(t, server)
	t.Parallel()
	p, key := &planter{dsn: server.Schema()}, bridgetest.NewEnv(t).Key
	store, err := postgres.OpenTraced(t.Context(), p.dsn, postgres.Options{Key: key, Create: true}, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := bridge.New(bridge.Config{Store: store, Key: key})
	pair := bridgetest.NewPair(t, s)
	for nth := 1; ; nth++ {
		p.arm(nth)
		err := store.Move(context.WithValue(t.Context(), marked{}, true), s.OperatorOperation("move_store", ""), func(postgres.Rows) error { return nil })
		if !p.hit() {
			if err != nil || nth < 8 {
				t.Errorf("without a fault, after %d statements: %v", nth-1, err)
			}
			break
		}
		p.arm(0)
		if err == nil || !strings.Contains(err.Error(), divisionByZero) {
			t.Errorf("statement %d failed, and the answer is: %v", nth, err)
		}
		send(t, s, pair.A, "still open")
	}
	if _, err := s.Send(t.Context(), pair.A, bridge.SendRequest{Text: "x"}); !errors.Is(err, bridge.ErrStoreMoved) {
		t.Errorf("after the move: %v, want ErrStoreMoved", err)
	}
}
