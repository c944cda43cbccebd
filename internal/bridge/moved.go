package bridge

import "fmt"

// movedSchema is added to the schema version of a store that was moved, so that every
// program refuses it: an older one takes it for a newer one's.
const movedSchema = 1_000_000

// MovedVersion is the schema version of a moved store that had this one.
func MovedVersion(version int64) int64 { return version + movedSchema }

// UnmovedVersion is the schema version that a moved store had before. ok is false for a
// store that was not moved.
func UnmovedVersion(version int64) (before int64, ok bool) {
	return version - movedSchema, version > movedSchema
}

// CheckMoved refuses, as ErrStoreMoved, a store with the schema version of one that was
// moved, and says how it is opened again. name tells people which it is; "" names none.
func CheckMoved(name string, version int64) error {
	if _, moved := UnmovedVersion(version); !moved {
		return nil
	}
	if name == "" {
		name = "STORE"
	}
	return fmt.Errorf("%w, and is closed: use its copy (--db, BRIDGE_DB); `bridge store reopen %s` opens this one again, "+
		"without what the copy has got since then", ErrStoreMoved, name)
}
