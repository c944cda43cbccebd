package storecopy

import (
	"bytes"
	"context"
	"fmt"

	"example.org/bridge/internal/sqlite/storefile"
)

// Later counts what a store holds that an earlier copy of it does not.
type Later struct{ Entries, Messages int64 }

// Since compares the store with an earlier copy of it. same reports whether the copy is
// one of this store, by its id; if not, later is zero. The last entry of a copy's log
// records the copy itself and is not in the log of the store.
func (s Source) Since(ctx context.Context, copied storefile.Contents) (same bool, later Later, err error) {
	err = s.store.Snapshot(ctx, func(read rows) error {
		err := read("SELECT id FROM store", 1, func(row []any) error {
			id, _ := row[0].([]byte)
			same = bytes.Equal(id, copied.ID)
			return nil
		})
		if err != nil || !same {
			return err
		}
		count := func(n *int64) func(row []any) error {
			return func(row []any) (err error) {
				var ok bool
				if *n, ok = row[0].(int64); !ok {
					err = fmt.Errorf("%w: a count is a %T", ErrDiffers, row[0])
				}
				return err
			}
		}
		if err := read(fmt.Sprintf("SELECT count(*) FROM messages WHERE id > %d", copied.LastMessage), 1, count(&later.Messages)); err != nil {
			return err
		}
		return read("SELECT count(*) + coalesce((SELECT seq FROM audit_base), 0) FROM audit_log", 1, count(&later.Entries))
	})
	later.Entries = max(0, later.Entries-(copied.Head.Seq-1))
	return same, later, err
}
