package postgres

import (
	"context"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// LimitsOf implements sqlstore.Accounts.
func (e *entry) LimitsOf(conversation string) (bridge.Limits, error) {
	return e.store.limits.Of(e.sql(), e.state.revision, conversation)
}

// Limits implements bridge.Store.
func (s *Store) Limits(ctx context.Context, conversation string) (r bridge.LimitReport, err error) {
	err = s.read(ctx, func(c *conn) error {
		r, err = limitReport(c, conversation)
		return err
	})
	return r, err
}

func limitReport(c *conn, conversation string) (r bridge.LimitReport, err error) {
	if r, err = sqlstore.LimitReport(c.sql(), conversation); err != nil {
		return r, err
	}
	r.Usage, err = loadUsage(c, true)
	return r, err
}

// SetLimits implements bridge.Store.
func (s *Store) SetLimits(ctx context.Context, op bridge.Operation, rule bridge.LimitRule) (r bridge.LimitReport, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		e.lock(s.schema, "limits", "")
		before, err := limitReport(e.conn, op.Conversation)
		if err != nil {
			return err
		}
		set, quota := rule(before)
		if err := sqlstore.PutLimits(e.sql(), set, quota); err != nil {
			return err
		}
		e.later("UPDATE store_state SET revision = revision + 1")
		r, err = limitReport(e.conn, op.Conversation)
		return err
	})
	return r, err
}

// chargeCall takes what the operation costs.
func (e *entry) chargeCall() error { return e.charge(e.op.Charges) }

// charge takes all of some charges, or none.
func (e *entry) charge(charges []bridge.Charge) error {
	return sqlstore.Charge(e, charges, e.op.Conversation, e.now)
}

// Account implements sqlstore.Accounts. The accounts of a conversation that is locked are
// locked with it.
func (e *entry) Account(bucket string) (bridge.Account, error) {
	own := e.held != "" && strings.Contains(bucket, "/"+e.held+"/")
	if own && bucket == e.loaded {
		return e.account, nil
	}
	if !own {
		e.lock(e.store.schema, "bucket", bucket)
	}
	return sqlstore.GetAccount(e.sql(), bucket)
}

// KeepAccount implements sqlstore.Accounts.
func (e *entry) KeepAccount(bucket string, a bridge.Account) error {
	if bucket == e.loaded {
		e.account = a
	}
	return sqlstore.PutAccount(e.sql(), bucket, a)
}

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
