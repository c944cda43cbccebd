package snapshot

import (
	"slices"
	"sort"
	"strings"
)

// tracked holds the paths that are kept even if they are ignored, in order, and
// whether each was found. Paths below a folder are adjacent.
type tracked struct {
	paths []string
	found []bool
	count int // number found
}

func newTracked(paths []string) tracked {
	return tracked{paths: paths, found: make([]bool, len(paths))}
}

// span selects the tracked paths below a folder, and the length of the folder's
// path, including the slash, in each.
type span struct{ from, to, skip int }

func (s span) empty() bool { return s.from == s.to }

func (t *tracked) all() span { return span{to: len(t.paths)} }

// search returns the first path of a span that is not less than a name in its
// folder, followed by end.
func (t *tracked) search(s span, name, end string) int {
	return s.from + sort.Search(s.to-s.from, func(i int) bool {
		rest := t.paths[s.from+i][s.skip:]
		if len(rest) < len(name) {
			return rest >= name
		}
		if c := strings.Compare(rest[:len(name)], name); c != 0 {
			return c > 0
		}
		return rest[len(name):] >= end
	})
}

// find returns the index of a name in a span's folder, or -1.
func (t *tracked) find(s span, name string) int {
	if s.empty() {
		return -1
	}
	if i := t.search(s, name, ""); i < s.to && t.paths[i][s.skip:] == name {
		return i
	}
	return -1
}

// below returns the tracked paths below a folder in a span's folder.
func (t *tracked) below(s span, name string) span {
	if s.empty() {
		return span{}
	}
	// "0" is the character after "/".
	return span{from: t.search(s, name, "/"), to: t.search(s, name, "0"), skip: s.skip + len(name) + 1}
}

// mark records that a name was found, if it is tracked.
func (t *tracked) mark(s span, name string) {
	if i := t.find(s, name); i >= 0 && !t.found[i] {
		t.found[i] = true
		t.count++
	}
}

// maxAbsent limits the list returned by absent: a sparse checkout lacks most of
// what git tracks.
const maxAbsent = 10_000

// absent returns the tracked paths that were not found.
func (t *tracked) absent() []string {
	if n := len(t.paths) - t.count; n == 0 || n > maxAbsent {
		return nil
	}
	var gone []string
	for i, path := range t.paths {
		if !t.found[i] {
			gone = append(gone, path)
		}
	}
	return slices.Clip(gone)
}
