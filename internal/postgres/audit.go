package postgres

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// selectNumbered selects the entries with numbers greater than $1.
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
			shown := e
			shown.Details = sqlstore.ShownDetails(c.sql(), e)
			all = append(all, shown)
			return nil
		})
	})
	if q.Last {
		slices.Reverse(all)
	}
	return all, err
}

// WalkAudit implements bridge.Store. The entries of the spine are visited among the
// others; each has the number of the last entry that it covers.
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
			ORDER BY 10, 11`, nil, append(lineDest(&e), &e.Seq, new(int64)), func() error { return visit(c.opened(e)) })
		if err != nil {
			return err
		}
		err = c.get("SELECT seq, mac, seal FROM audit_head", nil, &head.Seq, &head.MAC, &head.Seal)
		if errors.Is(err, errNoRow) {
			return nil // an empty seal, which no verifier accepts
		}
		return err
	})
	return head, err
}

// endsFit finds chains whose head is older than what the spine covers, and entries
// after the head of their chain.
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
	return &audit.Fault{Problem: "the head of chain " + chain + " was removed or put back, or entries were added after it"}
}

// AuditBase implements bridge.Store.
func (s *Store) AuditBase(ctx context.Context) (base audit.Base, err error) {
	err = s.read(ctx, func(c *conn) error {
		base, err = auditBase(c)
		return err
	})
	return base, err
}

// auditBase returns where the log begins.
func auditBase(c *conn) (base audit.Base, err error) {
	err = c.get("SELECT link, seq, mac, seal FROM audit_base", nil, &base.Link, &base.Seq, &base.MAC, &base.Seal)
	if err != nil && !errors.Is(err, errNoRow) {
		return base, err
	}
	base.Chains = map[string]audit.Head{}
	var chain string
	var head audit.Head
	err = c.each("SELECT chain, link, mac FROM audit_bases", nil, []any{&chain, &head.Seq, &head.MAC}, func() error {
		base.Chains[chain] = head
		return nil
	})
	if err != nil {
		return base, err
	}
	base.Archives, err = sqlstore.Archives(c.sql())
	return base, err
}

// AuditCut implements bridge.Store. The log is cut after an entry that is the last one
// covered by an entry of the spine.
func (s *Store) AuditCut(ctx context.Context, before time.Time) (cut int64, err error) {
	if err := s.seal(ctx, true); err != nil {
		return 0, err
	}
	err = s.read(ctx, func(c *conn) error {
		return c.get(`
			SELECT coalesce(max(seq), 0) FROM audit_spine WHERE seq < coalesce((
			    SELECT min(o.seq) FROM audit_log l JOIN audit_order o ON o.chain = l.chain AND o.link = l.link WHERE l.at >= $1), seq + 1)`,
			[]any{before}, &cut)
	})
	return cut, err
}

// NoteArchive implements bridge.Store.
func (s *Store) NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		e.lock(s.schema, "archive", "")
		base, err := auditBase(e.conn)
		if err != nil {
			return err
		}
		var mac []byte
		err = e.get("SELECT mac FROM audit_spine WHERE seq = $1", []any{a.Last}, &mac)
		if err != nil && !errors.Is(err, errNoRow) {
			return err
		}
		if !base.GoesOn(a) || !bytes.Equal(mac, a.MAC) {
			return bridge.ErrCutElsewhere
		}
		return sqlstore.PutArchive(e.sql(), s.chain.SealArchived(a))
	})
}

// trimEntries is about how many entries one transaction removes.
const trimEntries = 10_000

// TrimAudit implements bridge.Store. Only the owner of the schema can call it.
func (s *Store) TrimAudit(ctx context.Context) (removed int64, err error) {
	for {
		var some int64
		err := s.write(ctx, func(c *conn) (durability, error) {
			some = 0
			// Take the lock for extending the spine, because its last entry may be
			// removed.
			c.lock(s.schema, "spine", "")
			c.lock(s.schema, "archive", "")
			if err := c.checkCurrent(); err != nil {
				return durable, err
			}
			var err error
			some, err = s.trimSome(c)
			return durable, err
		})
		if removed += some; err != nil || some == 0 {
			return removed, err
		}
	}
}

// trimSome removes the first batch of entries that are in an archive, and the entries
// of the spine that cover them.
func (s *Store) trimSome(c *conn) (removed int64, err error) {
	base, err := auditBase(c)
	end := base.Archived().Seq
	if err != nil || end <= base.Seq {
		return 0, err
	}
	next := audit.Base{}
	err = c.get(`
		SELECT link, seq, mac FROM audit_spine WHERE seq > $1 AND seq <= $2
		ORDER BY seq > $1 + $3::bigint, CASE WHEN seq > $1 + $3::bigint THEN seq ELSE -seq END LIMIT 1`,
		[]any{base.Seq, end, int64(trimEntries)}, &next.Link, &next.Seq, &next.MAC)
	if errors.Is(err, errNoRow) {
		return 0, &audit.Fault{Seq: base.Seq + 1, Problem: "missing: the spine does not cover it"}
	}
	if err != nil {
		return 0, err
	}
	next = s.chain.SealBase(next)
	c.later(`
		INSERT INTO audit_bases (chain, link, mac)
		SELECT DISTINCT ON (l.chain) l.chain, l.link, l.mac FROM audit_order o JOIN audit_log l ON l.chain = o.chain AND l.link = o.link
		WHERE o.seq <= $1 AND l.chain <> '' ORDER BY l.chain, l.link DESC
		ON CONFLICT (chain) DO UPDATE SET link = EXCLUDED.link, mac = EXCLUDED.mac`, next.Seq)
	c.later("DELETE FROM audit_log l USING audit_order o WHERE o.chain = l.chain AND o.link = l.link AND o.seq <= $1", next.Seq)
	c.later("DELETE FROM audit_spine WHERE seq <= $1", next.Seq)
	c.later(`
		INSERT INTO audit_base (one, link, seq, mac, seal) VALUES (true, $1, $2, $3, $4)
		ON CONFLICT (one) DO UPDATE SET link = $1, seq = $2, mac = $3, seal = $4`, next.Link, next.Seq, next.MAC, next.Seal)
	return c.exec("DELETE FROM audit_order WHERE seq <= $1", next.Seq)
}
