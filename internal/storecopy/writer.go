package storecopy

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// writer writes rows to the target. It builds a new chain for the audit log. Entries
// of a log that was a single chain get the same HMACs again.
type writer struct {
	to      *dialect
	run     exec
	chain   audit.Chain
	box     *atrest.Box
	sealing atrest.Cipher // how texts are stored in the source
	head    audit.Head
	from    audit.Base // where the log begins
	rows    int64
	written func(int64)
}

// each runs statements.
func (w *writer) each(statements []string, args ...any) error {
	for _, statement := range statements {
		if err := w.run(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// row writes a row of a table.
func (w *writer) row(t table, row []any) (err error) {
	if w.rows++; w.written != nil {
		w.written(w.rows)
	}
	switch t.name {
	case log:
		return w.entry(row)
	case base:
		return w.begin(row)
	case archives:
		if err := w.archived(row); err != nil {
			return err
		}
	}
	args := make([]any, len(row))
	for i, value := range row {
		if bytes, ok := value.([]byte); ok && bytes == nil {
			value = []byte{} // an empty value, as opposed to NULL
		}
		args[i] = value
	}
	if err := w.each(w.to.inserts(t), args...); err != nil || t.name != "conversations" {
		return err
	}
	id, _ := row[0].(string)
	return w.to.made(w.run, id)
}

// archived records an archive, for the verification of the copy.
func (w *writer) archived(row []any) error {
	var a audit.Archived
	var at int64
	if err := scan(row, []any{&a.First, &a.Last, &a.MAC, &a.Name, &a.Bytes, &a.SHA256, &at, &a.Seal}); err != nil {
		return err
	}
	a.At = time.UnixMicro(at).UTC()
	w.from.Archives = append(w.from.Archives, a)
	return nil
}

// begin makes the log begin after the archived entries. In a copy it is a single chain.
func (w *writer) begin(row []any) error {
	seq, isSeq := row[0].(int64)
	mac, isMAC := row[1].([]byte)
	if !isSeq || !isMAC {
		return &audit.Fault{Seq: 1, Problem: "the record of where the log begins cannot be read"}
	}
	w.head = audit.Head{Seq: seq, MAC: bytes.Clone(mac)}
	w.from.Head = w.head
	w.from = w.chain.SealBase(w.from)
	return w.run(w.to.base, seq, mac, w.from.Seal)
}

// entry writes the next entry of the log.
func (w *writer) entry(row []any) error {
	var e audit.Entry
	seq, isSeq := row[0].(int64)
	at, isTime := row[1].(int64)
	if !isSeq || !isTime || seq != w.head.Seq+1 {
		return &audit.Fault{Seq: w.head.Seq + 1, Problem: "missing"}
	}
	e.Time = time.UnixMicro(at).UTC()
	for i, field := range []*string{&e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details} {
		text, ok := row[2+i].(string)
		if !ok {
			return &audit.Fault{Seq: seq, Problem: "a column that must hold text does not"}
		}
		*field = text
	}
	return w.append(e)
}

// keepSealing sets the target's encryption state to that of the source, because rows are
// copied as they are.
func (w *writer) keepSealing(source rows, from *dialect, target rows) error {
	_, state, err := from.atRest(source)
	if err != nil {
		return err
	}
	schema, _, err := w.to.atRest(target)
	if err != nil {
		return err
	}
	w.sealing = atrest.Cipher{Box: w.box, State: state}
	return w.to.setVersion(w.run, state.Mark(schema))
}

// append writes an entry. Sealed details stay sealed, but the HMAC is that of the clear
// details.
func (w *writer) append(e audit.Entry) error {
	stored := e.Details
	e, w.head = w.chain.Append(w.head, opened(w.box, e))
	e.Details = stored
	return w.to.entry(w.run, e)
}

// opened returns an entry with its details in clear.
func opened(box *atrest.Box, e audit.Entry) audit.Entry {
	e.Details = sqlstore.OpenDetails(box, e.Details, e.Time, e.Conversation, e.Session, e.Action, e.Outcome)
	return e
}

// finish writes what is derived from the rows.
func (w *writer) finish() error {
	return errors.Join(w.each(w.to.after), w.end())
}

// end writes the head of the log.
func (w *writer) end() error { return w.run(w.to.head, w.head.Seq, w.head.MAC, w.head.Seal) }

// note records the copy in the target's log, and then verifies the whole log.
func (w *writer) note(c Copy, read rows, r *Report) error {
	e := audit.Entry{Time: c.Now.UTC().Truncate(time.Microsecond), Session: bridge.Operator, Action: "copy_store", Outcome: bridge.OutcomeOK, Details: c.copyDetails(r)}
	e.Details = w.sealing.Text(sqlstore.EntryPlace(e.Time, e.Conversation, e.Session, e.Action, e.Outcome), e.Details)
	if err := errors.Join(w.append(e), w.end()); err != nil {
		return err
	}
	r.ToHead = w.head
	v := w.chain.Verifier()
	if err := v.Begin(w.from); err != nil {
		return err
	}
	err := read(w.to.entries, 8, func(row []any) error {
		e, err := entryOf(row)
		if err != nil {
			return err
		}
		return v.Next(opened(w.box, e))
	})
	if err != nil {
		return err
	}
	return v.End(w.head)
}

// entryOf converts a row of entries.
func entryOf(row []any) (e audit.Entry, err error) {
	var at int64
	err = scan(row, []any{&e.Seq, &at, &e.Conversation, &e.Session, &e.Action, &e.Outcome, &e.Details, &e.MAC})
	e.Time = time.UnixMicro(at).UTC()
	return e, err
}

// scan converts a row to fields.
func scan(row, dest []any) error {
	for i, field := range dest {
		ok := false
		switch field := field.(type) {
		case *int64:
			*field, ok = row[i].(int64)
		case *string:
			*field, ok = row[i].(string)
		case *[]byte:
			var b []byte
			b, ok = row[i].([]byte)
			*field = bytes.Clone(b)
		}
		if !ok {
			return fmt.Errorf("%w: column %d of the log holds a %T", ErrDiffers, i+1, row[i])
		}
	}
	return nil
}
