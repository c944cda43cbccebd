package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Retention implements bridge.Store.
func (s *Store) Retention(ctx context.Context) (set []bridge.Retention, err error) {
	err = s.read(ctx, func(c *conn) error {
		set, err = sqlstore.Retention(c.sql())
		return err
	})
	return set, err
}

// SetRetention implements bridge.Store.
func (s *Store) SetRetention(ctx context.Context, op bridge.Operation, set []bridge.Retention) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.PutRetention(e.sql(), set) })
}

// CountOld implements bridge.Store.
func (s *Store) CountOld(ctx context.Context, before bridge.Before) (found map[string]bridge.Old, err error) {
	err = s.read(ctx, func(c *conn) error {
		found, err = sqlstore.CountOld(c.sql(), before)
		return err
	})
	return found, err
}

// ForgetOld implements bridge.Store.
func (s *Store) ForgetOld(ctx context.Context, op bridge.Operation, before bridge.Before) (old bridge.Old, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		old, err = sqlstore.ForgetOld(e.sql(), e.op, before)
		return err
	})
	return old, err
}
