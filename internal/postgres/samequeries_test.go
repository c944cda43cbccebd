package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/storetest"
)

// statements records what is sent to the server for calls with a marked context, and
// where the answer is awaited. What the store does in the background is not recorded.
type statements struct {
	mutex sync.Mutex
	texts []string
}

type marked struct{}

func (s *statements) note(ctx context.Context, text string) {
	if ctx.Value(marked{}) == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.texts = append(s.texts, strings.Join(strings.Fields(text), " "))
}

func (s *statements) take() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	taken := s.texts
	s.texts = nil
	return taken
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.note(ctx, d.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	for _, q := range d.Batch.QueuedQueries {
		s.note(ctx, q.SQL)
	}
	s.note(ctx, "wait for the server")
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestSameQueriesForUnknown checks that a caller without a valid token causes the same
// statements, in the same round trips, whether or not the conversation or session that
// it names exists.
func TestSameQueriesForUnknown(t *testing.T) {
	postgrestest.Need(t, server)
	t.Parallel()
	e := bridgetest.NewEnv(t)
	var noted statements
	store, err := postgres.OpenTraced(t.Context(), server.Schema(), postgres.Options{Key: e.Key, Create: true}, &noted)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	storetest.SameStatements(context.WithValue(t.Context(), marked{}, true), t, e, store, noted.take)
}
