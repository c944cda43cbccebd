package files

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"example.org/bridge/internal/bridge"
)

// changeOf is the one piece that differs between two texts, on the borders of characters.
func changeOf(before, after string) Change {
	start, shorter := 0, min(len(before), len(after))
	for start < shorter && before[start] == after[start] {
		start++
	}
	for inside(before, start) || inside(after, start) {
		start--
	}
	end := 0
	for end < shorter-start && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	for inside(before, len(before)-end) || inside(after, len(after)-end) {
		end--
	}
	c := Change{Start: int64(start), Removed: before[start : len(before)-end], Inserted: after[start : len(after)-end]}
	c.Bytes = int64(len(c.Removed) + len(c.Inserted))
	return c
}

// inside reports whether a character goes on at a byte of a text.
func inside(text string, at int) bool { return at < len(text) && !utf8.RuneStart(text[at]) }

// undo is the text before a change.
func (c Change) undo(after string) (before string, ok bool) {
	start, end := int(c.Start), int(c.Start)+len(c.Inserted)
	if start < 0 || end > len(after) || after[start:end] != c.Inserted {
		return "", false
	}
	return after[:start] + c.Removed + after[end:], true
}

// TextOf returns the text of a version of f, computed from its last text and the
// changes since, oldest first. The error is ErrNoVersion.
func TextOf(f File, changes []Change, version int64) (string, error) {
	if version < 1 || version > f.Version {
		return "", ErrNoVersion
	}
	text, at := f.Text, f.Version
	for i := len(changes) - 1; i >= 0 && at > version; i-- {
		var ok bool
		if text, ok = changes[i].undo(text); !ok || changes[i].Version != at {
			return "", ErrNoVersion
		}
		at--
	}
	if at != version {
		return "", ErrNoVersion
	}
	return text, nil
}

// place is where an edit changes a text, at least one byte, and what it puts there.
type place struct {
	start, end int
	text       string
}

// find looks for the one place of old.
func find(text, old, replacement string) (place, error) {
	switch n := strings.Count(text, old); {
	case n == 0:
		return place{}, bridge.Invalid("old", "is not in the file: read it again with file_read, and take the text as it stands there (secrets are replaced)")
	case n > 1 || strings.Contains(text[strings.Index(text, old)+1:], old): // or overlaps with itself
		return place{}, bridge.Invalid("old", "is in the file more than once: add lines around it until it is unique")
	}
	start := strings.Index(text, old)
	return place{start, start + len(old), replacement}, nil
}

// in is the text with the edit made.
func (p place) in(text string) string { return text[:p.start] + p.text + text[p.end:] }

// onto makes the edit of base in a later text, and keeps what others changed in it. It
// reports false where they changed the same lines, or lines beside them. What they have
// changed in the very same way is made already.
func (p place) onto(base, later string) (merged string, ok bool) {
	if base == later {
		return p.in(base), true
	}
	theirs := udiff.Lines(base, later)
	made := func(e udiff.Edit) bool { return slices.Contains(theirs, e) }
	if own := udiff.Lines(base, p.in(base)); !slices.ContainsFunc(own, func(e udiff.Edit) bool { return !made(e) }) {
		return later, true
	}
	ours := p.lines(base)
	for _, t := range theirs {
		if t.Start <= ours.End && ours.Start <= t.End {
			return "", false
		}
	}
	edits, ok := udiff.Merge([]udiff.Edit{ours}, theirs)
	if !ok {
		return "", false
	}
	merged, err := udiff.Apply(base, edits)
	return merged, err == nil
}

// lines is the edit of whole lines.
func (p place) lines(text string) udiff.Edit {
	start, end := strings.LastIndexByte(text[:p.start], '\n')+1, p.end
	if text[end-1] != '\n' {
		if rest := strings.IndexByte(text[end:], '\n'); rest >= 0 {
			end += rest + 1
		} else {
			end = len(text)
		}
	}
	return udiff.Edit{Start: start, End: end, New: text[start:p.start] + p.text + text[p.end:end]}
}

// changedLines are the first lines of after that are not as they were before.
func changedLines(before, after string) (lines []int) {
	if before == after || before == "" {
		return nil
	}
	shift := 0 // lines that edits before have added
	for _, e := range udiff.Lines(before, after) {
		first := strings.Count(before[:e.Start], "\n") + 1 + shift
		for n := range max(1, strings.Count(strings.TrimSuffix(e.New, "\n"), "\n")+1) {
			if len(lines) < MaxRedactedLines {
				lines = append(lines, first+n)
			}
		}
		shift += strings.Count(e.New, "\n") - strings.Count(before[e.Start:e.End], "\n")
	}
	return lines
}

// Diff returns the unified diff between two versions of a file; "" if they are equal.
// Version 0 stands for no file.
func Diff(path string, from, to int64, before, after string) string {
	return udiff.Unified(label(path, from), label(path, to), before, after)
}
