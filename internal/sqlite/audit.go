package sqlite

import (
	"context"
	"errors"
	"fmt"
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
	limit, order := q.Limit, "ASC"
	if limit == 0 {
		limit = math.MaxInt
	}
	if q.Last {
		order = "DESC"
	}
	where := "WHERE seq > ?1 AND seq <= ?2 AND (?3 = '' OR conversation = ?3) ORDER BY seq " + order + " LIMIT ?4 + 0"
	err = s.inSlices(ctx, slicesOf{"audit_log", "seq", q.After, q.Last}, func(c *conn, after, to int64) (enough bool, err error) {
		err = eachEntry(c, where, []any{after, to, q.Conversation, limit - len(all)}, func(e audit.Entry) error {
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

// slicesOf says what inSlices goes through: the rows of a table whose key is behind a
// number, forwards or backwards.
type slicesOf struct {
	table, key string
	after      int64
	backwards  bool
}

// sliceRows is how many numbers are looked at in one transaction.
const sliceRows = 10_000

// inSlices looks at what a table has now in slices, each in a transaction of its own: no
// look is so long that the write-ahead log grows behind it, or that others of this process
// wait. Numbers that nothing has are passed over. It ends when visit has enough, or when
// ctx does.
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
			return nil // a head without a seal, which no verifier takes
		}
		return err
	})
	return head, err
}
