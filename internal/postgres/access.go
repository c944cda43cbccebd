package postgres

import (
	"context"
	"errors"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

func getClock(c *conn) (clock bridge.Clock, err error) {
	return clock, stateless(c.get("SELECT latest, slow FROM store_state", nil, &clock.Latest, &clock.Slow))
}

// AccessKeys implements access.Store.
func (s *Store) AccessKeys(ctx context.Context) (all []access.Kept, clock bridge.Clock, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		if clock, err = getClock(c); err != nil {
			return err
		}
		all, err = sqlstore.AccessKeys(c.sql())
		return err
	})
	return all, clock, err
}

// AccessKey implements access.Store.
func (s *Store) AccessKey(ctx context.Context, id string) (found access.Kept, clock bridge.Clock, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		if clock, err = getClock(c); err != nil {
			return err
		}
		found, err = sqlstore.AccessKey(c.sql(), id)
		return err
	})
	return found, clock, err
}

// ChangeAccessKeys implements access.Store.
func (s *Store) ChangeAccessKeys(ctx context.Context, op bridge.Operation, rule access.Rule) (kept access.Kept, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) (err error) {
		e.lock(s.schema, "access keys", "")
		kept, err = sqlstore.ChangeAccessKeys(e, rule)
		return err
	})
	return kept, err
}

// RefuseAccess implements access.Store.
func (s *Store) RefuseAccess(ctx context.Context, op bridge.Operation, r bridge.Refusal) error {
	err := s.operate(ctx, op, relaxed, func(*entry) error { return &r })
	if err == nil {
		err = errors.New("a refusal was let through") // operate answers the reason
	}
	return err
}
