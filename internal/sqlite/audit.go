package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

const selectEntry = "SELECT seq, at, conversation, session, action, outcome, details, mac FROM audit_log "

// eachEntry visits the selected entries after verifying them, with their details in
// clear.
func eachEntry(c *conn, where string, args []any, visit func(audit.Entry) error) error {
	return eachStored(c, where, args, func(e audit.Entry) error {
		e.Details = sqlstore.OpenDetails(c.cipher.Box, e.Details, e.Time, e.Conversation, e.Session, e.Action, e.Outcome)
		return visit(e)
	})
}

// eachStored visits the selected entries with their details as stored.
func eachStored(c *conn, where string, args []any, visit func(audit.Entry) error) error {
	var e audit.Entry
	dest := []any{&e.Seq, &e.Time, &e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details, &e.MAC}
	return c.each(selectEntry+where, args, dest, func() error { return visit(e) })
}

// AuditEntries implements bridge.Store.
func (s *Store) AuditEntries(ctx context.Context, q bridge.AuditQuery) (all []audit.Entry, err error) {
	limit, order := q.Limit, "ASC"
	if limit == 0 {
		limit = math.MaxInt
	}
	if q.Last {
		order = "DESC"
	}
	where := "WHERE seq > ?1 AND seq <= ?2 AND (?3 = '' OR conversation = ?3) ORDER BY seq " + order + " LIMIT ?4 + 0"
	err = s.inSlices(ctx, slicesOf{"audit_log", "seq", q.After, q.Last}, func(c *conn, after, to int64) (enough bool, err error) {
		err = eachStored(c, where, []any{after, to, q.Conversation, limit - len(all)}, func(e audit.Entry) error {
			e.Details = sqlstore.ShownDetails(c.sql(), e)
			all = append(all, e)
			return nil
		})
		return len(all) == limit, err
	})
	if q.Last {
		slices.Reverse(all)
	}
	return all, err
}

// slicesOf says what inSlices reads: the rows of a table whose key is greater than
// after, or less than it when going backwards.
type slicesOf struct {
	table, key string
	after      int64
	backwards  bool
}

// sliceRows is the number of key values read in one transaction.
const sliceRows = 10_000

// inSlices reads the present rows of a table in slices, each in its own transaction. No
// transaction lasts so long that the write-ahead log grows meanwhile or that other
// calls of this process have to wait. Gaps in the keys are skipped. It returns when
// visit reports that it has enough, or when ctx is done.
func (s *Store) inSlices(ctx context.Context, of slicesOf, visit func(c *conn, after, to int64) (enough bool, err error)) error {
	after, to, ended := of.after, int64(math.MaxInt64), false
	for !ended {
		err := s.read.do(ctx, func(c *conn) error {
			var first, last int64
			bounds := fmt.Sprintf("SELECT coalesce((SELECT min(%[1]s) FROM %[2]s WHERE %[1]s > ?1), 0), coalesce((SELECT max(%[1]s) FROM %[2]s WHERE %[1]s <= ?2), 0)", of.key, of.table)
			if err := c.get(bounds, []any{after, to}, &first, &last); err != nil {
				return err
			}
			if first == 0 || first > last {
				ended = true
				return nil
			}
			after, to = first-1, last
			low, high := after, to
			switch more := to-after > sliceRows; {
			case more && of.backwards:
				low = to - sliceRows
			case more:
				high = after + sliceRows
			}
			enough, err := visit(c, low, high)
			if of.backwards {
				to = low
			} else {
				after = high
			}
			ended = enough || after >= to
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// WalkAudit implements bridge.Store.
func (s *Store) WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (head audit.Head, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		base, err := auditBase(c)
		if err != nil {
			return err
		}
		if err := begin(base); err != nil {
			return err
		}
		if err := eachEntry(c, "ORDER BY seq", nil, visit); err != nil {
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

// AuditBase implements bridge.Store.
func (s *Store) AuditBase(ctx context.Context) (base audit.Base, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		base, err = auditBase(c)
		return err
	})
	return base, err
}

// auditBase returns where the log begins.
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

// trimSome removes the first batch of entries that are in an archive. Other writers
// wait meanwhile.
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
		return 0, noHeadError(err)
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
