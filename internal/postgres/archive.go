package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// AuditBase implements bridge.Store.
func (s *Store) AuditBase(ctx context.Context) (base audit.Base, err error) {
	err = s.read(ctx, func(c *conn) error {
		base, err = auditBase(c)
		return err
	})
	return base, err
}

// auditBase is where the log begins.
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

// AuditCut implements bridge.Store: the log is cut behind entries of the spine.
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

// trimEntries is about how many entries are removed in one transaction.
const trimEntries = 10_000

// TrimAudit implements bridge.Store. Only the owner of the schema can do that.
func (s *Store) TrimAudit(ctx context.Context) (removed int64, err error) {
	for {
		var some int64
		err := s.write(ctx, func(c *conn) (durability, error) {
			some = 0
			// As who extends the spine, of which the last entry may go.
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

// trimSome removes the first entries that archives hold, with the spine that covers them.
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
