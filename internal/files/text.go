package files

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"example.org/bridge/internal/bridge"
)

// changeOf returns the one piece that differs between two texts, at the boundaries of
// characters.
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

// inside reports whether the byte at a position continues a character.
func inside(text string, at int) bool { return at < len(text) && !utf8.RuneStart(text[at]) }

// undo returns the text before a change.
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

// place is the part of a text, at least one byte, that an edit replaces, and the
// new text.
type place struct {
	start, end int
	text       string
}

// find returns the only occurrence of old.
func find(text, old, replacement string) (place, error) {
	switch n := strings.Count(text, old); {
	case n == 0:
		return place{}, bridge.Invalid("old", "does not occur in the file: read it again with file_read, and copy the text exactly (secrets are replaced in it)")
	case n > 1 || strings.Contains(text[strings.Index(text, old)+1:], old): // or overlaps with itself
		return place{}, bridge.Invalid("old", "occurs in the file more than once: add lines around it until it is unique")
	}
	start := strings.Index(text, old)
	return place{start, start + len(old), replacement}, nil
}

// in returns the text with the edit applied.
func (p place) in(text string) string { return text[:p.start] + p.text + text[p.end:] }

// onto applies the edit of base to a later text, and keeps what others changed in it.
// It returns false if they changed the same lines or adjacent ones. An identical change
// by others counts as applied.
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

// lines returns the edit extended to whole lines.
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

// changedLines returns the numbers of the first lines of after that differ from
// before.
func changedLines(before, after string) (lines []int) {
	if before == after || before == "" {
		return nil
	}
	shift := 0 // lines added by the edits so far
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
