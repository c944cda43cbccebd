// Package storecopy copies a whole store from a file to a server and back. It knows the
// tables of both kinds of stores, so that neither kind needs to know the other's. It
// does not need to know what the rows mean.
//
// A copy is read in one transaction of the source and written in one of the target.
// Rows are counted and compared, and the audit log is verified, before and after. A
// store that is moved is marked as moved in the transaction that reads it, once its
// copy is complete.
package storecopy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Reader is what a copy needs from a store of either kind.
type Reader interface {
	Snapshot(ctx context.Context, fn func(rows) error) error
	Move(ctx context.Context, op bridge.Operation, fn func(rows) error) error
	TrimAudit(ctx context.Context) (removed int64, err error)
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
}

// Source is the store to be copied.
type Source struct {
	store   Reader
	dialect *dialect
}

// FromFile returns a store in a file as the source.
func FromFile(s Reader) Source { return Source{s, file()} }

// FromServer returns a store in a PostgreSQL database as the source.
func FromServer(s Reader, key bridge.Key) Source {
	return Source{s, server(bridge.AuditChain(key))}
}

// Copy describes one copy.
type Copy struct {
	From Source
	// Key is the key of the source and of the target.
	Key bridge.Key
	Now time.Time
	// Move marks the source as moved when the copy is complete. Nothing can be written
	// to the source meanwhile, so nothing is lost.
	Move bool
	// Written is called after each row with the number of rows written. It may be nil.
	Written func(rows int64)
}

// Report describes what was copied.
type Report struct {
	// Conversations, Messages and the Rows of all tables are counts.
	Conversations, Messages, Rows int64
	// Tables is the number of rows by table.
	Tables map[string]int64
	// Digest covers all rows of all tables. It is the same for source and target.
	Digest string
	// FromHead and ToHead are the heads of the copied log in the source and in the
	// target, which has one entry more.
	FromHead, ToHead audit.Head
	// Verified is the head of the source's own log when it was verified before the
	// copy. For a server it differs from FromHead, because the copy's log is a single
	// chain.
	Verified audit.Head
}

// ErrDiffers reports that the target does not hold what the source does.
var ErrDiffers = errors.New("the copy differs from the source and was abandoned")

// ErrStillOpen reports a store that was copied completely but could not be marked as
// moved.
var ErrStillOpen = errors.New("the copy is complete, but the source may still be in use: stop the processes that use it, or remove the copy")

// ErrOccupied reports that the target is not empty.
var ErrOccupied = errors.New("the target of the copy already exists")

// Occupied returns ErrOccupied with advice. If a move was killed after its copy was
// complete and before its source was marked as moved, both exist, and the source is the
// one in use.
func (c Copy) Occupied(remedy string) error {
	if !c.Move {
		return fmt.Errorf("%w: %s", ErrOccupied, remedy)
	}
	return fmt.Errorf("%w: %s. The source is in use and complete. If an earlier move of it was killed, the target may be its copy, "+
		"which nobody uses: remove that and move again", ErrOccupied, remedy)
}

// Fill lets fn fill a new store in one transaction.
type Fill = func(ctx context.Context, fn func(rows, exec) error) error

// ToServer copies to a store in a PostgreSQL database, which must be empty, or fill
// refuses it. A copy that is killed leaves it empty.
func (c Copy) ToServer(ctx context.Context, fill Fill) (Report, error) {
	target := server(bridge.AuditChain(c.Key))
	return c.whole(ctx, target, func(read snapshot) (Report, error) { return c.into(ctx, read, target, fill) })
}

// snapshot lets fn read a store.
type snapshot func(ctx context.Context, fn func(rows) error) error

// whole verifies the source, copies it, and marks it as moved if c.Move is set.
func (c Copy) whole(ctx context.Context, to *dialect, copyAll func(snapshot) (Report, error)) (r Report, err error) {
	// Entries of a server's log have other HMACs in a copy, so an archive must not end
	// among the copied entries.
	if _, err := c.From.store.TrimAudit(ctx); err != nil {
		return r, err
	}
	verified, err := c.verify(ctx)
	if err != nil {
		return r, fmt.Errorf("verify the source: %w", err)
	}
	defer func() { r.Verified = verified }()
	if !c.Move {
		return copyAll(c.From.store.Snapshot)
	}
	op := bridge.Operation{Now: c.Now, Actor: bridge.Operator, Action: "move_store", Details: bridge.Details{"to": to.kind}}
	copied := false
	err = c.From.store.Move(ctx, op, func(read rows) (err error) {
		r, err = copyAll(func(_ context.Context, fn func(rows) error) error { return fn(read) })
		op.Details["head"], op.Details["rows"], op.Details["digest"] = r.ToHead.String(), r.Rows, r.Digest
		copied = err == nil
		return err
	})
	if copied && err != nil {
		err = fmt.Errorf("%w: %w", ErrStillOpen, err)
	}
	return r, err
}

// into copies to the target using its fill function.
func (c Copy) into(ctx context.Context, from snapshot, to *dialect, fill Fill) (r Report, err error) {
	err = fill(ctx, func(read rows, run exec) error {
		var sent sums
		w := &writer{to: to, run: run, chain: bridge.AuditChain(c.Key), written: c.Written}
		w.head, w.box = w.chain.EmptyHead(), atrest.New(c.Key.Derive)
		if err := w.each(to.before); err != nil {
			return err
		}
		err := from(ctx, func(source rows) (err error) {
			if err := w.keepSealing(source, c.From.dialect, read); err != nil {
				return err
			}
			sent, err = c.From.dialect.each(source, w.row)
			return err
		})
		if err != nil {
			return err
		}
		if err := w.finish(); err != nil {
			return err
		}
		copied, err := to.each(read, func(table, []any) error { return nil })
		if err != nil {
			return err
		}
		if err := compare(sent, copied); err != nil {
			return err
		}
		r.count(sent)
		r.FromHead = w.head
		return w.note(c, read, &r)
	})
	return r, err
}

// verify verifies the log of the source.
func (c Copy) verify(ctx context.Context) (audit.Head, error) {
	v := bridge.AuditChain(c.Key).Verifier(audit.Head{})
	head, err := c.From.store.WalkAudit(ctx, v.Begin, v.Next)
	if err != nil {
		return head, err
	}
	return head, v.End(head)
}

// each visits every row of all tables.
func (d *dialect) each(read rows, visit func(table, []any) error) (sums, error) {
	all := make(sums, len(tables))
	for i, t := range tables {
		err := read(d.selects(t), len(t.columns), func(row []any) error {
			return errors.Join(all[i].add(row), visit(t, row))
		})
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return all, nil
}

func compare(from, to sums) error {
	for i, t := range tables {
		if from[i] != to[i] {
			return fmt.Errorf("%w: table %s has %d rows in the source and %d in the copy, or their content differs", ErrDiffers, t.name, from[i].rows, to[i].rows)
		}
	}
	return nil
}

func (r *Report) count(all sums) {
	r.Digest, r.Tables = all.String(), map[string]int64{}
	for i, t := range tables {
		r.Rows += all[i].rows
		r.Tables[t.name] = all[i].rows
		switch t.name {
		case "conversations":
			r.Conversations = all[i].rows
		case "messages":
			r.Messages = all[i].rows
		}
	}
}

// copyDetails returns the details of the entry about the copy in the target's log.
func (c Copy) copyDetails(r *Report) string {
	details, _ := json.Marshal(bridge.Details{"from": c.From.dialect.kind, "head": r.FromHead.String(), "rows": r.Rows, "digest": r.Digest})
	return string(details)
}
