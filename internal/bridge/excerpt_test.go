package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

// numbered returns the words numbered from first to last.
func numbered(from, to int) string {
	words := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		words = append(words, fmt.Sprint("w", i))
	}
	return strings.Join(words, " ")
}

func TestExcerpt(t *testing.T) {
	hit := func(words string) string { return bridge.MarkBegin + words + bridge.MarkEnd }
	tests := []struct{ name, marked, want string }{
		{"short", "a " + hit("b") + ", c.", "a " + hit("b") + ", c."},
		{"at the begin", hit("x") + " " + numbered(1, 40), hit("x") + " " + numbered(1, 23) + "…"},
		{"in the middle", numbered(1, 40) + " " + hit("x") + " " + numbered(41, 80), "…" + numbered(30, 40) + " " + hit("x") + " " + numbered(41, 52) + "…"},
		{"at the end", numbered(1, 40) + " " + hit("x"), "…" + numbered(18, 40) + " " + hit("x")},
		{
			"where the most different terms are",
			hit("x") + " " + numbered(1, 40) + " " + hit("X") + " " + hit("y") + " " + numbered(41, 80),
			"…" + numbered(30, 40) + " " + hit("X") + " " + hit("y") + " " + numbered(41, 51) + "…",
		},
		{"a term longer than an excerpt", "a " + hit(numbered(1, 40)) + " b", "…" + hit(numbered(1, 24)) + "…"},
		{"nothing marked", numbered(1, 40), numbered(1, 24) + "…"},
		{"as long as an excerpt", "(" + numbered(1, 24) + ").", "(" + numbered(1, 24) + ")."},
		{
			"a term at the begin and one far behind it",
			hit("x") + " " + numbered(1, 19) + " " + hit("y") + " " + numbered(20, 40),
			hit("x") + " " + numbered(1, 19) + " " + hit("y") + " " + numbered(20, 22) + "…",
		},
		{
			"terms that stand together, and another far behind them",
			numbered(1, 40) + " " + hit("x") + " " + hit("y") + " " + numbered(41, 80) + " " + hit("z") + " " + numbered(81, 120),
			"…" + numbered(30, 40) + " " + hit("x") + " " + hit("y") + " " + numbered(41, 51) + "…",
		},
		{
			"terms that just fit",
			numbered(1, 40) + " " + hit("x") + " " + numbered(41, 62) + " " + hit("y") + " " + numbered(63, 80),
			"…" + hit("x") + " " + numbered(41, 62) + " " + hit("y") + "…",
		},
		{"letters of several bytes", strings.Repeat("ä ", 40) + hit("é") + strings.Repeat(" ö", 40), "…" + strings.Repeat("ä ", 11) + hit("é") + strings.Repeat(" ö", 12) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := bridge.Excerpt(tt.marked); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add("a \x02b\x03 c")
	f.Add(strings.Repeat("\x02a\x03 b ", 30))
	f.Add("\x03\x02\x02" + strings.Repeat("é ", 30))
	f.Fuzz(func(t *testing.T, text string) {
		got := bridge.Excerpt(text)
		if len(got) > len(text)+2*len("…")+len(bridge.MarkBegin+bridge.MarkEnd) {
			t.Errorf("%q became the longer %q", text, got)
		}
	})
}

// TestExcerptOfManyTerms checks that a hundred thousand terms take no longer than other
// text of that length.
func TestExcerptOfManyTerms(t *testing.T) {
	text := strings.Repeat(bridge.MarkBegin+"x"+bridge.MarkEnd+" ", 100_000)
	done := make(chan string, 1)
	go func() { done <- bridge.Excerpt(text) }()
	select {
	case got := <-done:
		if n := strings.Count(got, bridge.MarkBegin); n != 24 {
			t.Errorf("%d terms, want 24", n)
		}
	case <-time.After(time.Minute): // a quadratic algorithm takes far longer
		t.Error("it did not end")
	}
}
