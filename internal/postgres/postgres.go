// Package postgres keeps the bridge's store in a schema of a PostgreSQL database
// that any number of processes on any number of machines share.
//
// Every write is one transaction that locks the conversation that it is about,
// holds the operation and its audit entry, and is acknowledged when the server has
// it on its disk; heartbeats, empty checks, read marks and refusals are
// acknowledged before that. Each conversation has an audit chain of its own, so
// that two conversations never wait for each other, and a spine covers all chains.
//
// Clocks of machines differ: the times of operations are to be taken from Clock.
package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/postgres/server"
	"example.org/bridge/internal/sqlstore"
)

// Store implements bridge.Store.
type Store struct {
	sqlstore.Operations

	pool     *pgxpool.Pool
	schema   string
	chain    audit.Chain
	box      *atrest.Box
	sealer   *sealer
	limits   sqlstore.LimitCache
	usage    usageCache
	recent   recentProofs
	encrypts atomic.Bool // texts were encrypted when a message was sent last

	filling func(bridge.Fill)
	told    map[string]bool // what filling was told of; with usage.mutex
	closed  sync.Once
	checked bool // the schema is there, and has a version
}

var _ bridge.Store = (*Store)(nil)

// Options say how to open a store.
type Options struct {
	// Key is the master key of the store. Required.
	Key bridge.Key
	// Create makes the store if it is missing, and migrates an older one.
	Create bool
	// Limits are those of a store that is made. They change nothing in one that is
	// there: bridge.Store.SetLimits does.
	Limits bridge.Limits
	// Filling is told, once for each thing that is bounded, that the store is so full
	// that its operator should make room (bridge.Fill.Warn). It is called within
	// a transaction, and may be nil.
	Filling func(bridge.Fill)
}

// Open opens the store that a connection string names (server.Parse). Errors are those
// that bridge calls ErrStore…; none of them holds a password.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := server.Parse(dsn)
	if err != nil {
		return nil, err
	}
	return openConfig(ctx, config, o)
}

func openConfig(ctx context.Context, config server.Config, o Options) (*Store, error) {
	pool, err := pgxpool.NewWithConfig(ctx, config.Pool)
	if err != nil {
		return nil, server.Translate(err)
	}
	s := &Store{
		pool: pool, schema: config.Schema, chain: bridge.AuditChain(o.Key), box: atrest.New(o.Key.Derive),
		recent:  recentProofs{of: map[bridge.Address]recentProof{}},
		filling: o.Filling, told: map[string]bool{},
	}
	s.Operations = sqlstore.NewOperations(func(ctx context.Context, do func(sqlstore.Conn) error) error {
		return s.read(ctx, func(c *conn) error { return do(c.sql()) })
	}, transactions{s}, dialect)
	if err := s.prepare(ctx, o); err != nil {
		pool.Close()
		return nil, err
	}
	s.checked = true
	s.sealer = newSealer(s)
	return s, nil
}

// prepare makes or migrates the schema, or checks that it is what this program
// knows, and that the key belongs to it.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if o.Create {
		if err := s.migrate(ctx, o); err != nil {
			return err
		}
	}
	return s.read(ctx, func(c *conn) error { return checkStore(c, s.schema, o.Key) })
}

// Bells returns the doorbells of the store. Call Close before that of the store.
func (s *Store) Bells() *server.Bells { return server.NewBells(s.pool, "bridge_"+s.schema) }

// Clock looks at the server's clock. Call Close before that of the store.
func (s *Store) Clock(ctx context.Context) (*server.Clock, error) {
	return server.NewClock(ctx, s.pool)
}

// Close closes the store. It waits for operations under way.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.sealer.close()
		s.pool.Close()
	})
	return nil
}

// vacuum lets the server use again what was removed. It cannot be in a transaction.
func (s *Store) vacuum(ctx context.Context) error {
	for _, table := range []string{"messages", "inbox", "session_status", "conversations", "audit_chains", "audit_log", "audit_order"} {
		if _, err := s.pool.Exec(ctx, "VACUUM "+table); err != nil {
			return server.Translate(fmt.Errorf("vacuum: %w", err))
		}
	}
	return nil
}
