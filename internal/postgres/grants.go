package postgres

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sqlstore"
)

// OpenGrant implements commands.Store.
func (s *Store) OpenGrant(ctx context.Context, op bridge.Operation, g commands.Grant) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.OpenGrant(e, g) })
}

// CloseGrant implements commands.Store.
func (s *Store) CloseGrant(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.CloseGrant(e.sql(), op.Conversation) })
}

// SetYoloMode implements commands.Store.
func (s *Store) SetYoloMode(ctx context.Context, g bridge.Gate, m commands.SessionMode) (unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		unread, err = sqlstore.SetMode(e, g, m)
		return err
	})
	return unread, err
}

// ForgetCommands implements commands.Store.
func (s *Store) ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error) {
	if dryRun {
		err = s.read(ctx, func(c *conn) (err error) {
			requests, grants, err = sqlstore.OverCommands(c.sql(), before, op.Now)
			return err
		})
		return requests, grants, err
	}
	err = s.operate(ctx, op, durable, func(e *entry) (err error) {
		requests, grants, err = sqlstore.ForgetCommands(e, before)
		return err
	})
	return requests, grants, err
}
