package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

const pageSize = 4096

// LimitsOf implements sqlstore.Accounts.
func (e *entry) LimitsOf(conversation string) (bridge.Limits, error) {
	return e.store.limits.Of(e.sql(), e.head.revision, conversation)
}

// Limits implements bridge.Store.
func (s *Store) Limits(ctx context.Context, conversation string) (r bridge.LimitReport, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		r, err = limitReport(c, conversation)
		return err
	})
	return r, err
}

func limitReport(c *conn, conversation string) (r bridge.LimitReport, err error) {
	if r, err = sqlstore.LimitReport(c.sql(), conversation); err != nil {
		return r, err
	}
	if r.Usage.Bytes, err = usedBytes(c); err != nil {
		return r, err
	}
	err = c.get("SELECT conversations, messages FROM audit_head", nil, &r.Usage.Conversations, &r.Usage.Messages)
	return r, err
}

// SetLimits implements bridge.Store.
func (s *Store) SetLimits(ctx context.Context, op bridge.Operation, rule bridge.LimitRule) (r bridge.LimitReport, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		before, err := limitReport(e.conn, op.Conversation)
		if err != nil {
			return err
		}
		set, quota := rule(before)
		if err := sqlstore.PutLimits(e.sql(), set, quota); err != nil {
			return err
		}
		e.head.revision++
		r, err = limitReport(e.conn, op.Conversation)
		return err
	})
	return r, err
}

// warn tells, once for each thing, how nearly full the store is.
func (s *Store) warn(usage, quota bridge.Usage) {
	if s.filling == nil {
		return
	}
	for _, f := range usage.Fills(quota) {
		if f.Warn() && !s.told[f.What] {
			s.told[f.What] = true
			s.filling(f)
		}
	}
}

// Retention implements bridge.Store.
func (s *Store) Retention(ctx context.Context) (set []bridge.Retention, err error) {
	err = s.read.do(ctx, func(c *conn) error {
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
	err = s.read.do(ctx, func(c *conn) error {
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
