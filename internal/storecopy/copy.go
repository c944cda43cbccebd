// Package storecopy copies a whole store from a file to a server, and back. It knows the
// tables of both kinds, so that neither knows those of the other; what the rows mean it
// need not know.
//
// A copy is read in one transaction of the source and written in one of the target. Rows
// are counted and compared, and the audit log is verified, before and after. A store that
// is moved is closed when its copy is whole, in the transaction in which it was read.
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

// Reader is what both kinds of stores offer of that.
type Reader interface {
	Snapshot(ctx context.Context, fn func(rows) error) error
	Move(ctx context.Context, op bridge.Operation, fn func(rows) error) error
	TrimAudit(ctx context.Context) (removed int64, err error)
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
}

// Source is the store that is copied.
type Source struct {
	store   Reader
	dialect *dialect
}

// FromFile is a store in a file.
func FromFile(s Reader) Source { return Source{s, file()} }

// FromServer is a store in a PostgreSQL database.
func FromServer(s Reader, key bridge.Key) Source {
	return Source{s, server(bridge.AuditChain(key))}
}

// Copy is one copy.
type Copy struct {
	From Source
	// Key is that of the source, and so of the target.
	Key bridge.Key
	Now time.Time
	// Move closes the source when the copy is whole: nothing that is written there
	// meanwhile is lost, because nothing is.
	Move bool
	// Written is called with the number of rows that are written, after each. It may
	// be nil.
	Written func(rows int64)
}

// Report says what was copied.
type Report struct {
	// Conversations, Messages and Rows of all tables are counts.
	Conversations, Messages, Rows int64
	// Tables has the rows of each table.
	Tables map[string]int64
	// Digest is of all rows of all tables; that of the source and of the target are the
	// same.
	Digest string
	// FromHead and ToHead are the ends of the logs: the target's has one entry more.
	FromHead, ToHead audit.Head
	// Verified is the end of the source's own log when it was verified, before the copy.
	// That of a server is not in a copy, whose log is one chain.
	Verified audit.Head
}

// ErrDiffers reports a target that does not hold what the source does.
var ErrDiffers = errors.New("the copy is not what was copied, and was given up")

// ErrStillOpen reports a store that was copied whole, and could not be closed.
var ErrStillOpen = errors.New("the copy is whole, but the store that was copied may still be open: end the processes that use it, or remove the copy")

// ErrOccupied reports a target that is not empty and new.
var ErrOccupied = errors.New("something is there already where the copy is to be")

// Occupied is ErrOccupied with what to do about it. A move that is killed when its copy is
// whole and its source is not closed yet leaves both, and the source is the one in use.
func (c Copy) Occupied(remedy string) error {
	if !c.Move {
		return fmt.Errorf("%w: %s", ErrOccupied, remedy)
	}
	return fmt.Errorf("%w: %s. The store that is to be moved is open, and has everything: where a move of it was killed, what is there may be its copy, "+
		"which nobody uses; remove that, and move again", ErrOccupied, remedy)
}

// Fill lets fn fill a new store in one transaction.
type Fill = func(ctx context.Context, fn func(rows, exec) error) error

// ToServer copies into a store in a PostgreSQL database, which must hold nothing: fill
// refuses it otherwise. One that is killed leaves it empty.
func (c Copy) ToServer(ctx context.Context, fill Fill) (Report, error) {
	target := server(bridge.AuditChain(c.Key))
	return c.whole(ctx, target, func(read snapshot) (Report, error) { return c.into(ctx, read, target, fill) })
}

// snapshot lets fn read a store.
type snapshot func(ctx context.Context, fn func(rows) error) error

// whole verifies the source, has it copied, and closes it where it is moved.
func (c Copy) whole(ctx context.Context, to *dialect, copyAll func(snapshot) (Report, error)) (r Report, err error) {
	// The HMACs of a server's log are other ones in a copy: an archive must not end in it.
	if _, err := c.From.store.TrimAudit(ctx); err != nil {
		return r, err
	}
	verified, err := c.verify(ctx)
	if err != nil {
		return r, fmt.Errorf("the store that is to be copied: %w", err)
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

// into copies with the fill of the target.
func (c Copy) into(ctx context.Context, from snapshot, to *dialect, fill Fill) (r Report, err error) {
	err = fill(ctx, func(read rows, run exec) error {
		var sent sums
		w := &writer{to: to, run: run, chain: bridge.AuditChain(c.Key), written: c.Written}
		w.head, w.box = w.chain.EmptyHead(), atrest.New(c.Key.Derive)
		if err := w.each(to.before); err != nil {
			return err
		}
		err := from(ctx, func(source rows) (err error) {
			if err := w.asIn(source, c.From.dialect, read); err != nil {
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

// verify checks the log of the source.
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
			return fmt.Errorf("%w: table %s has %d rows there and %d here, or other ones", ErrDiffers, t.name, from[i].rows, to[i].rows)
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

// said is what the entry in the target's log says of the copy.
func (c Copy) said(r *Report) string {
	details, _ := json.Marshal(bridge.Details{"from": c.From.dialect.kind, "head": r.FromHead.String(), "rows": r.Rows, "digest": r.Digest})
	return string(details)
}
