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

// LimitReport implements sqlstore.LimitEntry.
func (e *entry) LimitReport(conversation string) (bridge.LimitReport, error) {
	return limitReport(e.conn, conversation)
}

// LimitsChanged implements sqlstore.LimitEntry.
func (e *entry) LimitsChanged() error {
	e.head.revision++
	return nil
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

// warn reports, once for each limit of the quota, that the store is nearly full.
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
