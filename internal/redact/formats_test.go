package redact_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// TestFormats generates an example of every row of the table, which must be
// hidden as a whole and by its format only, and counter-examples: a body that is
// too short, and a letter before a prefix that must not follow one.
func TestFormats(t *testing.T) {
	g := newGenerator()
	var e redact.Engine
	for _, row := range redact.Formats() {
		t.Run(row.Prefix, func(t *testing.T) {
			if row.Min < 1 || row.Max < row.Min || len(row.Prefix) < 2 {
				t.Fatalf("a row that cannot match: %+v", row)
			}
			token := row.Prefix + g.body(row)
			in := fmt.Sprintf("see %s there", token)
			out, kinds := e.Redact(in)
			if strings.Contains(out, token) || len(kinds) == 0 || !strings.HasSuffix(out, " there") {
				t.Errorf("Redact(%q) = %q %v", in, out, kinds)
			}
			short := "see " + row.Prefix + strings.Repeat("z", row.Min-1) + " there"
			if out, _ := e.Redact(short); out != short {
				t.Errorf("too short, but Redact(%q) = %q", short, out)
			}
			if row.LeftEdge {
				inside := "see abc" + row.Prefix + strings.Repeat("z", row.Min) + " there"
				if out, _ := e.Redact(inside); out != inside {
					t.Errorf("within a word, but Redact(%q) = %q", inside, out)
				}
			}
		})
	}
}

func TestFormatsAreSorted(t *testing.T) {
	rows := redact.Formats()
	if !sort.SliceIsSorted(rows, func(i, j int) bool { return rows[i].Prefix < rows[j].Prefix }) {
		t.Error("sort the table by prefix: the index needs it")
	}
	for i := 1; i < len(rows); i++ {
		if rows[i] == rows[i-1] {
			t.Errorf("%q stands twice", rows[i].Prefix)
		}
	}
}

// body returns the shortest body that a row allows.
func (g generator) body(row redact.Row) string {
	if row.UUID {
		return g.uuid()
	}
	alphabet := row.Alphabet
	if len(alphabet) > 16 {
		alphabet = strings.Map(func(r rune) rune {
			if strings.ContainsRune("+/=.-_~%:$?&", r) {
				return -1
			}
			return r
		}, alphabet)
	}
	for {
		b := g.chars(alphabet, row.Min)
		if strings.ContainsAny(b, decimals) && (redact.Generated(b) || !row.Random) {
			return b
		}
	}
}
