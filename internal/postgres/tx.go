package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/postgres/server"
)

// durability is what a commit survives.
type durability bool

const (
	durable durability = true  // survives a power cut
	relaxed durability = false // survives a killed process or server, but not always a power cut
)

// Bounds of one operation.
const (
	maxTries = 20               // tries of an operation that conflicts with others
	maxTime  = 60 * time.Second // for all tries together
)

// write runs fn in one transaction, which is committed if fn returns nil and rolled
// back otherwise. If the server aborts the transaction because of a conflict with
// another, it is repeated, so fn must set its results from scratch each time. A cancelled ctx has an
// effect only before the transaction has begun.
func (s *Store) write(ctx context.Context, fn func(*conn) (durability, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxTime)
	defer cancel()
	var err error
	for range maxTries {
		if err = s.try(ctx, "BEGIN", fn); !server.IsRepeatable(err) {
			break
		}
	}
	return s.explain(ctx, err)
}

// read runs fn in one read transaction, so that it sees a single moment.
func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	visited := false
	once := func(c *conn) (durability, error) {
		if s.checked {
			c.learn()
		}
		err := fn(c)
		visited = visited || c.visited
		return durable, err
	}
	var err error
	for range maxTries {
		// Once rows have been passed on, the transaction cannot be repeated.
		if err = s.try(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", once); !server.IsRepeatable(err) || visited {
			break
		}
	}
	return s.explain(ctx, err)
}

// try runs fn in a transaction once.
func (s *Store) try(ctx context.Context, begin string, fn func(*conn) (durability, error)) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return errors.Join(err, ctx.Err())
	}
	defer pooled.Release() // a connection with an open transaction is not used again
	c := &conn{pg: pooled.Conn(), ctx: ctx, schema: s.schema, box: s.box}
	c.later(begin)
	finished := false
	defer func() {
		if !finished && !c.pg.IsClosed() {
			c.pending, c.readers = nil, nil
			_, _ = c.exec("ROLLBACK")
		}
	}()
	level, err := fn(c)
	if err != nil {
		return err
	}
	if level == relaxed {
		c.later("SET LOCAL synchronous_commit = off")
	}
	err = c.commit()
	finished = err == nil
	return err
}

// commit sends the pending statements and COMMIT. Once the server has confirmed that,
// the transaction counts, whatever happens to the connection.
func (c *conn) commit() error {
	c.later("COMMIT")
	results, err := c.flush()
	var tag pgconn.CommandTag
	var known *pgconn.PgError
	undone := errors.As(err, &known) // a statement failed, so COMMIT was not executed
	if err == nil {
		tag, err = results.batch.Exec()
	}
	if err == nil && tag.String() == "COMMIT" {
		_ = results.close()
		return nil
	}
	err = errors.Join(err, results.close())
	switch {
	case undone:
		return err
	case err != nil && server.IsUncertain(err):
		return fmt.Errorf("%w: %w", bridge.ErrOutcomeUnknown, err)
	case err != nil:
		return fmt.Errorf("commit: %w", err)
	}
	return errors.New("the server undid the transaction instead of committing it")
}

// Locks are taken in one order: a team, a conversation's chain, further chains of the
// team, limit buckets, and the chain of the audit entry if that is another one. If an
// order is violated nevertheless, the server detects the deadlock and aborts one
// transaction (write).

// lock takes an advisory lock on a name until the end of the transaction. If two names
// hash to the same number, they merely wait for each other.
func (c *conn) lock(schema, kind, name string) {
	c.later("SELECT pg_advisory_xact_lock($1)", lockNumber(schema, kind, name))
}

func lockNumber(parts ...string) int64 {
	hash := fnv.New64a()
	for _, part := range parts {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	return int64(hash.Sum64())
}

// hold locks the chain of a conversation, and thereby everything in the conversation,
// until the end of the transaction. It does nothing if there is no such conversation.
// Data read before may have changed since. The lock is taken, and held is set, with the
// next statement whose result is awaited.
func (e *entry) hold(conversation string, in scope) error {
	if conversation == "" || e.held == conversation {
		return nil
	}
	if in == team {
		if err := e.lockTeam(conversation); err != nil {
			return err
		}
	}
	e.later(lockState)
	e.laterEach("SELECT link, mac FROM audit_chains WHERE chain = $1 FOR UPDATE", []any{conversation}, []any{&e.head.Seq, &e.head.MAC}, func() error {
		e.held = conversation
		return nil
	})
	return nil
}

// lockState is the first access to a table in every transaction (see alone).
const lockState = "SELECT FROM store_state"

// lockTeam locks the team of a conversation. A conversation never changes its team.
func (e *entry) lockTeam(conversation string) error {
	if e.teamID == "" {
		err := e.get("SELECT team_id FROM conversations WHERE id = $1", []any{conversation}, &e.teamID)
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	e.lock(e.store.schema, "team", e.teamID)
	return nil
}

// holdAnother locks the chain of a conversation other than the operation's own. Mail is
// only inserted under that lock, because readers of an inbox in order must not miss a
// message with an earlier number.
func holdAnother(c *conn, conversation string) {
	c.later("SELECT 1 FROM audit_chains WHERE chain = $1 FOR UPDATE", conversation)
}
