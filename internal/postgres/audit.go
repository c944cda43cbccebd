package postgres

import (
	"context"
	"errors"
	"math"
	"slices"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// selectNumbered are the entries behind number $1.
const selectNumbered = ", o.seq FROM audit_order o JOIN audit_log l ON l.chain = o.chain AND l.link = o.link WHERE o.seq > $1"

// ofConversation restricts them to conversation $3.
const ofConversation = " AND l.conversation = $3"

// AuditEntries implements bridge.Store.
func (s *Store) AuditEntries(ctx context.Context, q bridge.AuditQuery) (all []audit.Entry, err error) {
	if err := s.sealed(ctx); err != nil {
		return nil, err
	}
	limit, order := int64(q.Limit), "ASC"
	if limit == 0 {
		limit = math.MaxInt64
	}
	if q.Last {
		order = "DESC"
	}
	of, args := "", []any{q.After, limit}
	if q.Conversation != "" {
		of, args = ofConversation, append(args, q.Conversation)
	}
	err = s.read(ctx, func(c *conn) error {
		all = nil
		var e audit.Entry
		return c.each(selectLine+selectNumbered+of+" ORDER BY o.seq "+order+" LIMIT $2", args, append(lineDest(&e), &e.Seq), func() error {
			all = append(all, e)
			return nil
		})
	})
	if q.Last {
		slices.Reverse(all)
	}
	return all, err
}

// WalkAudit implements bridge.Store. The entries of the spine come between the
// others, each with the number of the last that it covers.
func (s *Store) WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (head audit.Head, err error) {
	if err := s.seal(ctx, true); err != nil && !errors.Is(err, bridge.ErrStoreReadOnly) {
		return head, err
	}
	err = s.read(ctx, func(c *conn) error {
		if err := endsFit(c); err != nil {
			return err
		}
		base, err := auditBase(c)
		if err != nil {
			return err
		}
		if err := begin(base); err != nil {
			return err
		}
		var e audit.Entry
		err = c.each(selectLine+`, o.seq, 0::bigint FROM audit_order o JOIN audit_log l ON l.chain = o.chain AND l.link = o.link
			UNION ALL
			SELECT 'spine', p.link, p.at, '', 'system', 'seal_log', 'ok', p.details, p.mac, p.seq, 1::bigint FROM audit_spine p
			ORDER BY 10, 11`, nil, append(lineDest(&e), &e.Seq, new(int64)), func() error { return visit(e) })
		if err != nil {
			return err
		}
		err = c.get("SELECT seq, mac, seal FROM audit_head", nil, &head.Seq, &head.MAC, &head.Seal)
		if errors.Is(err, errNoRow) {
			return nil // a head without a seal, which no verifier takes
		}
		return err
	})
	return head, err
}

// endsFit finds chains whose end was put back behind what the spine covers, and
// entries behind the end of their chain.
func endsFit(c *conn) error {
	var chain string
	err := c.get(`
		SELECT s.chain FROM audit_sealed s LEFT JOIN audit_chains c ON c.chain = s.chain
		WHERE c.link IS NULL OR c.link < s.link OR c.link = s.link AND c.mac <> s.mac
		UNION ALL
		SELECT l.chain FROM audit_log l
		LEFT JOIN audit_order o ON o.chain = l.chain AND o.link = l.link
		LEFT JOIN audit_chains c ON c.chain = l.chain
		WHERE o.seq IS NULL AND (c.link IS NULL OR l.link > c.link) LIMIT 1`, nil, &chain)
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	return &audit.Fault{Problem: "the head of chain " + chain + " was removed or put back, or entries were added behind it"}
}
