package sqlstore

import (
	"errors"
	"fmt"
	"maps"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
)

// Conversion encrypts or decrypts the texts of a whole store.
type Conversion struct {
	// On is true to encrypt and false to decrypt.
	On bool
	// Tables is the result of Convertibles.
	Tables []Convertible
	// Lock is appended to queries to lock the rows read, if a store needs that.
	Lock string
	// Last is a query for the number of the latest log entry of the operator. Since is
	// a condition for entries after number ?1.
	Last, Since string
	// State returns how the texts are stored.
	State func() (atrest.State, error)
	// Set records op and changes the state of the store, in a transaction in which
	// nobody else changes texts or the state. If check returns an error, nothing is
	// changed. The Conn passed to check knows the state.
	Set func(op bridge.Operation, to atrest.State, check func(Conn) error) error
	// Do runs fn in a transaction in which nobody else changes texts.
	Do func(fn func(Conn) error) error
	// Scrub removes from the store's files everything that is not in a row. statistics
	// is as in atrest.Converted. It is called after an encryption only.
	Scrub func() (statistics bool, err error)
	// Converted is called with the number of rows converted so far; it may be nil.
	Converted func(rows int64)
}

// Run converts the store and returns what it did. From the first transaction on,
// everything that is written has the new form. The existing rows are then converted,
// one page per transaction. Run may be interrupted at any time, which leaves the store
// in atrest.TurningOn or atrest.TurningOff, and may be called again to complete the
// conversion. op is recorded at the beginning and at the end. The error is
// bridge.ErrStoreBusy if another conversion has begun or ended meanwhile.
func (v Conversion) Run(op bridge.Operation) (done atrest.Converted, err error) {
	begin, end := atrest.Turning(v.On)
	state, err := v.State()
	if err != nil || state == end {
		return done, err
	}
	var begun int64
	err = v.Set(v.stage(op, "begun", done), begin, func(c Conn) error {
		return errors.Join(expect(c, state), c.Get(v.Last, nil, &begun))
	})
	if err != nil {
		return done, err
	}
	if done, err = v.pages(begin); err != nil {
		return done, err
	}
	if v.On {
		if done.Statistics, err = v.Scrub(); err != nil {
			return done, err
		}
	}
	return done, v.Set(v.stage(op, "done", done), end, func(c Conn) error {
		return errors.Join(expect(c, begin), v.alone(c, begun))
	})
}

// pages converts all rows.
func (v Conversion) pages(state atrest.State) (total atrest.Converted, err error) {
	for _, t := range v.Tables {
		var after []any
		for {
			last, done, err := v.page(t, state, after)
			if err != nil {
				return total, fmt.Errorf("convert the table %s: %w", t.Name, err)
			}
			total.Damaged += done.Damaged
			if total.Rows += done.Rows; v.Converted != nil {
				v.Converted(total.Rows)
			}
			if last == nil {
				break
			}
			after = last
		}
	}
	return total, nil
}

func (v Conversion) page(t Convertible, state atrest.State, after []any) (last []any, done atrest.Converted, err error) {
	err = v.Do(func(c Conn) error {
		err := expect(c, state)
		if err == nil {
			last, done, err = t.Convert(c, after, v.Lock)
		}
		return err
	})
	return last, done, err
}

// expect returns ErrOvertaken if the store is no longer in the state in which the
// previous step left it.
func expect(c Conn, want atrest.State) error {
	cipher, err := c.Cipher()
	if err != nil || cipher.State == want {
		return err
	}
	return fmt.Errorf("%w: its encryption is %s", ErrOvertaken, cipher.State)
}

// ErrOvertaken is a bridge.ErrStoreBusy for a conversion during which another one has
// begun or ended. Repeating the step would not help.
var ErrOvertaken = fmt.Errorf("%w: another conversion of its texts has begun or ended meanwhile", bridge.ErrStoreBusy)

// conversionActions are the audit actions that Conversion.stage sets.
const conversionActions = "('encrypt_store', 'decrypt_store')"

// alone returns ErrOvertaken if another conversion has begun or ended since this one
// began, because the pages of the two may be mixed. begun is the number of the entry
// before this conversion's own.
func (v Conversion) alone(c Conn, begun int64) error {
	var n int64
	err := c.Get("SELECT count(*) FROM audit_log WHERE action IN "+conversionActions+" AND "+v.Since, []any{begun}, &n)
	if err == nil && n > 1 {
		err = ErrOvertaken
	}
	return err
}

// stage returns the operation to be recorded at the beginning or end of a conversion.
func (v Conversion) stage(op bridge.Operation, stage string, done atrest.Converted) bridge.Operation {
	op.Action = "decrypt_store"
	if v.On {
		op.Action = "encrypt_store"
	}
	op.Details = maps.Clone(op.Details)
	op.Details["stage"], op.Details["rows"] = stage, done.Rows
	if done.Damaged > 0 {
		op.Details["damaged"] = done.Damaged
	}
	return op
}
