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

// LimitReport implements sqlstore.LimitEntry.
func (e *entry) LimitReport(conversation string) (bridge.LimitReport, error) {
	return limitReport(e.conn, conversation)
}

// LimitsChanged implements sqlstore.LimitEntry.
func (e *entry) LimitsChanged() error {
	e.later("UPDATE store_state SET revision = revision + 1")
	return nil
}

func limitReport(c *conn, conversation string) (r bridge.LimitReport, err error) {
	if r, err = sqlstore.LimitReport(c.sql(), conversation); err != nil {
		return r, err
	}
	r.Usage, err = loadUsage(c, true)
	return r, err
}

// Charge implements sqlstore.Entry.
func (e *entry) Charge(charges []bridge.Charge) error {
	return sqlstore.Charge(e, charges, e.Operation.Conversation, e.Time)
}

// Account implements sqlstore.Accounts. The lock on a conversation also covers its
// accounts.
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
