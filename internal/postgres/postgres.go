// Package postgres keeps the bridge's store in a schema of a PostgreSQL database that
// any number of processes on any number of machines share.
//
// Every write is one transaction that locks its conversation and contains the operation
// and its audit entry. It is acknowledged when the server has it on its disk;
// heartbeats, empty checks, read marks and refusals are acknowledged before that. Each
// conversation has its own audit chain, so that two conversations never wait for each
// other. A further chain, the spine, covers all others.
//
// The clocks of machines differ: take the times of operations from Clock.
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
	encrypts atomic.Bool // whether texts were encrypted at the last send

	filling func(bridge.Fill)
	told    map[string]bool // what Filling has been called for; guarded by usage.mutex
	closed  sync.Once
	checked bool // the schema exists and has a version
}

var _ bridge.Store = (*Store)(nil)

// Options configure how a store is opened.
type Options struct {
	// Key is the master key of the store. Required.
	Key bridge.Key
	// Create creates the store if it is missing and migrates one of an older version.
	Create bool
	// Limits are the limits of a newly created store. They do not change an existing
	// one; use bridge.Store.SetLimits for that.
	Limits bridge.Limits
	// Filling is called once for each limit of the quota that the store is close to, so
	// that the operator can make room (bridge.Fill.Warn). It is called within a
	// transaction, and may be nil.
	Filling func(bridge.Fill)
}

// Open opens the store that a connection string names (server.Parse). Errors are the
// bridge.ErrStore… errors; none contains a password.
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

// prepare creates or migrates the schema, or checks that it is one that this program
// knows and that the key belongs to it.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if o.Create {
		if err := s.migrate(ctx, o); err != nil {
			return err
		}
	}
	return s.read(ctx, func(c *conn) error { return checkStore(c, s.schema, o.Key) })
}

// Bells returns the doorbells of the store. Close them before the store.
func (s *Store) Bells() *server.Bells { return server.NewBells(s.pool, "bridge_"+s.schema) }

// Clock returns the server's clock. Close it before the store.
func (s *Store) Clock(ctx context.Context) (*server.Clock, error) {
	return server.NewClock(ctx, s.pool)
}

// Close closes the store after the operations in progress have ended.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.sealer.close()
		s.pool.Close()
	})
	return nil
}

// vacuum lets the server reuse the space of removed rows. It cannot run in a
// transaction.
func (s *Store) vacuum(ctx context.Context) error {
	for _, table := range []string{"messages", "inbox", "session_status", "conversations", "audit_chains", "audit_log", "audit_order"} {
		if _, err := s.pool.Exec(ctx, "VACUUM "+table); err != nil {
			return server.Translate(fmt.Errorf("vacuum: %w", err))
		}
	}
	return nil
}
