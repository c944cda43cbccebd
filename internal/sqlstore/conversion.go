package sqlstore

import (
	"errors"
	"fmt"
	"maps"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
)

// Conversion is how the texts of a whole store are encrypted or decrypted.
type Conversion struct {
	// On says which: true encrypts.
	On bool
	// Tables are Convertibles.
	Tables []Convertible
	// Lock is appended to queries, if a store needs that to keep others from changing
	// what was read.
	Lock string
	// Last is the query of the number that the log's last entry of the operator has, and
	// Since selects its entries behind number ?1.
	Last, Since string
	// State reads how the texts are kept.
	State func() (atrest.State, error)
	// Set records op and gives the store another state, in a transaction in which nobody
	// else changes texts or the state. check may refuse that; its Conn knows the state.
	Set func(op bridge.Operation, to atrest.State, check func(Conn) error) error
	// Do runs fn in a transaction in which nobody else changes texts.
	Do func(fn func(Conn) error) error
	// Scrub leaves nothing in the files of a store that is not in a row. statistics is
	// that of atrest.Converted. It follows an encryption only.
	Scrub func() (statistics bool, err error)
	// Converted is told how many rows were converted so far; it may be nil.
	Converted func(rows int64)
}

// Run converts a store, and returns what it did: from its first transaction on all that is
// written is of the new kind, then what is there is converted, a page in each transaction.
// It may be interrupted at any time, which leaves the store in atrest.TurningOn or
// TurningOff, and begun again. op is recorded when it begins and when it is done. The
// error is bridge.ErrStoreBusy where another conversion has begun or ended meanwhile.
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

// expect refuses a step of a conversion in a store that is not in the state in which the
// step before left it.
func expect(c Conn, want atrest.State) error {
	cipher, err := c.Cipher()
	if err != nil || cipher.State == want {
		return err
	}
	return fmt.Errorf("%w: its encryption is %s", ErrOvertaken, cipher.State)
}

// ErrOvertaken is the bridge.ErrStoreBusy of a conversion that another one has overtaken: to
// do its step again would not help.
var ErrOvertaken = fmt.Errorf("%w: another conversion of its texts has begun or ended meanwhile", bridge.ErrStoreBusy)

// conversionActions are those of Conversion.stage.
const conversionActions = "('encrypt_store', 'decrypt_store')"

// alone refuses to end a conversion when another one has begun or ended since its own
// beginning, which is in the log behind begun: their pages may lie between each other.
func (v Conversion) alone(c Conn, begun int64) error {
	var n int64
	err := c.Get("SELECT count(*) FROM audit_log WHERE action IN "+conversionActions+" AND "+v.Since, []any{begun}, &n)
	if err == nil && n > 1 {
		err = ErrOvertaken
	}
	return err
}

// stage is the operation of a conversion as it is recorded at one of its ends.
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
