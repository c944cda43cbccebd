package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/postgres/server"
)

// OpenTraced opens a store whose statements are traced.
func OpenTraced(ctx context.Context, dsn string, o Options, tracer pgx.QueryTracer) (*Store, error) {
	config, err := server.Parse(dsn)
	if err != nil {
		return nil, err
	}
	config.Pool.ConnConfig.Tracer = tracer
	return openConfig(ctx, config, o)
}

// Migrate changes the schema as a newer program with additional scripts does.
func (s *Store) Migrate(ctx context.Context, scripts ...string) error {
	known, err := migrations()
	if err != nil {
		return err
	}
	return s.migrateBy(ctx, append(known, scripts...), Options{})
}

// StopSealing stops the background goroutine that extends the spine. After that only
// calls that read the log extend it.
func (s *Store) StopSealing() { s.sealer.close() }

// Functions exported for tests.
var (
	SelectTail    = selectTail
	SelectTails   = selectTails
	SelectInbox   = selectInbox + inboxPage
	SelectHistory = selectHistory
	SelectOwn     = selectOwn

	SelectConversationLog = selectLine + selectNumbered + ofConversation + " ORDER BY o.seq LIMIT $2"
)
