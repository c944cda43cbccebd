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

// For tests.
var (
	SelectTail    = selectTail
	SelectTails   = selectTails
	SelectInbox   = selectInbox + inboxPage
	SelectHistory = selectHistory
	SelectOwn     = selectOwn

	SelectConversationLog = selectLine + selectNumbered + ofConversation + " ORDER BY o.seq LIMIT $2"
)
