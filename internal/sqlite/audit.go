package sqlite

import (
	"context"
	"errors"
	"math"
	"slices"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

const selectEntry = "SELECT seq, at, conversation, session, action, outcome, details, mac FROM audit_log "

func eachEntry(c *conn, where string, args []any, visit func(audit.Entry) error) error {
	var e audit.Entry
	dest := []any{&e.Seq, &e.Time, &e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details, &e.MAC}
	return c.each(selectEntry+where, args, dest, func() error { return visit(e) })
}

// AuditEntries implements bridge.Store.
func (s *Store) AuditEntries(ctx context.Context, q bridge.AuditQuery) (all []audit.Entry, err error) {
	limit, order := int64(q.Limit), "ASC"
	if limit == 0 {
		limit = math.MaxInt64
	}
	if q.Last {
		order = "DESC"
	}
	err = s.read.do(ctx, func(c *conn) error {
		return eachEntry(c, "WHERE seq > ?1 AND (?2 = '' OR conversation = ?2) ORDER BY seq "+order+" LIMIT ?3 + 0",
			[]any{q.After, q.Conversation, limit}, func(e audit.Entry) error {
				all = append(all, e)
				return nil
			})
	})
	if q.Last {
		slices.Reverse(all)
	}
	return all, err
}

// WalkAudit implements bridge.Store.
func (s *Store) WalkAudit(ctx context.Context, visit func(audit.Entry) error) (head audit.Head, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		if err := eachEntry(c, "ORDER BY seq", nil, visit); err != nil {
			return err
		}
		err := c.get("SELECT seq, mac, seal FROM audit_head", nil, &head.Seq, &head.MAC, &head.Seal)
		if errors.Is(err, errNoRow) {
			return nil // a head without a seal, which no verifier takes
		}
		return err
	})
	return head, err
}
