package sqlite

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
	err = s.read.do(ctx, func(c *conn) error {
		base, err = auditBase(c)
		return err
	})
	return base, err
}

// auditBase is where the log begins.
func auditBase(c *conn) (base audit.Base, err error) {
	err = c.get("SELECT seq, mac, seal FROM audit_base", nil, &base.Seq, &base.MAC, &base.Seal)
	if err != nil && !errors.Is(err, errNoRow) {
		return base, err
	}
	base.Archives, err = sqlstore.Archives(c.sql())
	return base, err
}

// AuditCut implements bridge.Store.
func (s *Store) AuditCut(ctx context.Context, before time.Time) (cut int64, err error) {
	err = s.inSlices(ctx, slicesOf{table: "audit_log", key: "seq"}, func(c *conn, after, to int64) (younger bool, err error) {
		var first int64
		err = c.get("SELECT coalesce(min(seq), 0) FROM audit_log WHERE seq > ? AND seq <= ? AND at >= ?", []any{after, to, before}, &first)
		if cut = to; first > 0 {
			cut = first - 1
		}
		return first > 0, err
	})
	return cut, err
}

// NoteArchive implements bridge.Store.
func (s *Store) NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		base, err := auditBase(e.conn)
		if err != nil {
			return err
		}
		var mac []byte
		err = e.get("SELECT mac FROM audit_log WHERE seq = ?", []any{a.Last}, &mac)
		if err != nil && !errors.Is(err, errNoRow) {
			return err
		}
		if !base.GoesOn(a) || !bytes.Equal(mac, a.MAC) {
			return bridge.ErrCutElsewhere
		}
		return sqlstore.PutArchive(e.sql(), s.chain.SealArchived(a))
	})
}

// TrimAudit implements bridge.Store.
func (s *Store) TrimAudit(ctx context.Context) (removed int64, err error) {
	for {
		var some int64
		err := s.write.do(ctx, func(c *conn) (durability, error) {
			some, err = s.trimSome(c)
			return durable, err
		})
		if removed += some; err != nil || some == 0 {
			return removed, err
		}
	}
}

// trimSome removes the first entries that archives hold, while others wait.
func (s *Store) trimSome(c *conn) (removed int64, err error) {
	base, err := auditBase(c)
	if err != nil {
		return 0, err
	}
	to := min(base.Archived().Seq, base.Seq+sliceRows)
	if to <= base.Seq {
		return 0, nil
	}
	next := audit.Base{Head: audit.Head{Seq: to}}
	if err := c.get("SELECT mac FROM audit_log WHERE seq = ?", []any{to}, &next.MAC); err != nil {
		return 0, headless(err)
	}
	result, err := c.exec("DELETE FROM audit_log WHERE seq <= ?", to)
	if err != nil {
		return 0, err
	}
	next = s.chain.SealBase(next)
	if _, err := c.exec("INSERT OR REPLACE INTO audit_base (one, seq, mac, seal) VALUES (1, ?, ?, ?)", next.Seq, next.MAC, next.Seal); err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
