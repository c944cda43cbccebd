package confedit

import (
	"bytes"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
)

// Undo reverts the change from before to after in current, which is after with other
// changes, and keeps the other changes. It returns false if the changes touch each
// other, because then it is unclear which lines belong to which change.
func Undo(before, after, current []byte) ([]byte, bool) {
	if bytes.Equal(after, current) {
		return before, true
	}
	if bytes.Equal(before, after) {
		return current, true
	}
	for _, text := range [][]byte{before, after, current} {
		if len(text) > MaxSize || !utf8.Valid(text) {
			return nil, false
		}
	}
	ours, theirs := udiff.Lines(string(after), string(before)), udiff.Lines(string(after), string(current))
	if touching(ours, theirs) {
		return nil, false
	}
	merged, ok := udiff.Merge(ours, theirs)
	if !ok {
		return nil, false
	}
	out, err := udiff.ApplyBytes(after, merged)
	return out, err == nil
}

// touching reports whether an edit of x and an edit of y overlap or are adjacent.
func touching(x, y []udiff.Edit) bool {
	for _, a := range x {
		for _, b := range y {
			if a.Start <= b.End && b.Start <= a.End {
				return true
			}
		}
	}
	return false
}

// Diff returns the unified diff from before to after; it is empty if they are equal.
func Diff(name string, before, after []byte) string {
	old, now := name, name
	if len(before) == 0 {
		old = "/dev/null"
	}
	if len(after) == 0 {
		now = "/dev/null"
	}
	return udiff.Unified(old, now, string(before), string(after))
}
