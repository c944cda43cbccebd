package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/sqlstore"
)

// ChangeClaims implements claims.Store.
func (s *Store) ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule claims.Rule) (result claims.Result, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		result, err = sqlstore.ChangeClaims(e, g, task, rule)
		return err
	})
	return result, err
}

// RemoveClaim implements claims.Store.
func (s *Store) RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.RemoveClaim(e.sql(), id) })
}
