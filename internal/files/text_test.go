package files_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/files"
)

// FuzzChange checks that a change can be undone, consists of whole characters, and is
// no longer than what differs.
func FuzzChange(f *testing.F) {
	f.Add("", "")
	f.Add("abc", "abXc")
	f.Add("aaaa", "aa")
	f.Add("é", "è")
	f.Add("x€y", "x₭y")
	f.Add("日本", "日本語")
	f.Fuzz(func(t *testing.T, before, after string) {
		if !utf8.ValidString(before) || !utf8.ValidString(after) {
			return // files are text in UTF-8
		}
		c := files.ChangeOf(before, after)
		c.Version = 2
		if !utf8.ValidString(c.Removed) || !utf8.ValidString(c.Inserted) || c.Bytes != int64(len(c.Removed)+len(c.Inserted)) {
			t.Fatalf("%q to %q: %+v", before, after, c)
		}
		file := files.File{Version: 2, Text: after}
		if got, err := files.TextOf(file, []files.Change{c}, 1); err != nil || got != before {
			t.Errorf("%q to %q: back comes %q, %v", before, after, got, err)
		}
		if before == after && c.Bytes != 0 {
			t.Errorf("%q: %+v", before, c)
		}
	})
}

// FuzzMerge checks that an edit of an earlier text is either refused, or applied to
// the later text so that both changes are in the result.
func FuzzMerge(f *testing.F) {
	f.Add("one\ntwo\nthree\nfour\n", "two", "2", "four", "4")
	f.Add("one\ntwo\nthree\nfour\n", "two", "2", "three", "3")
	f.Add("a\nb\nc\nd\ne", "a\n", "", "e", "f\ng\n")
	f.Add("a\n\nb\n\nc", "b", "", "c", "a")
	f.Add("a\na\na\nb\nb\na", "b\nb", "a", "a\nb", "b\nb")
	f.Fuzz(func(t *testing.T, base, old, replacement, theirOld, theirs string) {
		for _, text := range []string{base, old, replacement, theirOld, theirs} {
			if !utf8.ValidString(text) || len(text) > 1000 {
				return
			}
		}
		if old == "" || old == replacement || theirOld == "" || strings.Count(base, theirOld) != 1 {
			return
		}
		at := strings.Index(base, theirOld)
		later := base[:at] + theirs + base[at+len(theirOld):]
		merged, ok := files.MergeEdit(base, later, old, replacement)
		if !ok {
			return
		}
		mine := strings.Index(base, old)
		edited := base[:mine] + replacement + base[mine+len(old):]
		if merged == later && strings.Contains(later, replacement) {
			return // both made the same change
		}
		// If the places are apart, the result does not depend on the order.
		var want string
		switch {
		case mine+len(old) <= at:
			want = base[:mine] + replacement + base[mine+len(old):at] + theirs + base[at+len(theirOld):]
		case at+len(theirOld) <= mine:
			want = base[:at] + theirs + base[at+len(theirOld):mine] + replacement + base[mine+len(old):]
		case later == base:
			want = edited
		default:
			// They share a place, but their lines do not differ there.
			if !strings.Contains(merged, replacement) {
				t.Errorf("base %q, theirs %q, mine %q for %q: merged %q", base, later, replacement, old, merged)
			}
			return
		}
		if merged != want {
			t.Errorf("base %q, theirs %q, mine %q for %q: merged %q, want %q", base, later, replacement, old, merged, want)
		}
	})
}

// TestRedactedLines checks that the lines changed by redaction are reported with
// their numbers after it.
func TestRedactedLines(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
		want                []int
	}{
		{"nothing", "a\nb\n", "a\nb\n", nil},
		{"one line", "a\nb\nc\n", "a\nX\nc\n", []int{2}},
		{"the last without an end", "a\nb", "a\nX", []int{2}},
		{"several lines become one", "a\nk1\nk2\nk3\nb\nc\n", "a\nX\nb\nY\n", []int{2, 4}},
		{"two lines", "a\nb\nc\nd\ne\n", "X\nb\nc\nd\nY\n", []int{1, 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := files.ChangedLines(tt.before, tt.after)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
	if many := files.ChangedLines(strings.Repeat("a\n", 100), strings.Repeat("b\n", 100)); len(many) != files.MaxRedactedLines {
		t.Errorf("%d lines are named", len(many))
	}
}

// TestCut checks that a long diff is cut after a whole line, or at least a
// whole character.
func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		most       int
	}{
		{"ab\ncd\n", "ab\ncd\n", 6},
		{"ab\ncd\n", "ab\n", 5},
		{"abcdef", "abc", 3},
		{"ééé", "é", 3},
		{"\nabc", "\n", 2},
	} {
		if got, cut := files.CutText(tt.text, tt.most); got != tt.want || cut != (tt.text != tt.want) {
			t.Errorf("%q in %d: %q, %v", tt.text, tt.most, got, cut)
		}
	}
}
