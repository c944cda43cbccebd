package redact_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// alarmList is the content of testdata/alarms.tsv about lines that are altered:
// which Go distribution and modules were measured, and the class of each file
// whose altered lines somebody has examined.
type alarmList struct {
	version string // version of Go
	modules []string
	lines   map[alarm]int
	classes map[alarm]map[string]int
}

func readAlarms(t *testing.T) alarmList {
	t.Helper()
	l := alarmList{lines: map[alarm]int{}, classes: map[alarm]map[string]int{}}
	for _, line := range readLines(t, "modules.txt") {
		l.modules = append(l.modules, escapeModule(line))
	}
	for _, line := range readLines(t, "alarms.tsv") {
		if v, ok := strings.CutPrefix(line, "# "); ok {
			l.version = v
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("alarms.tsv: %q has not four fields", line)
		}
		n, err := strconv.Atoi(f[2])
		if err != nil {
			t.Fatalf("alarms.tsv: %q: %v", line, err)
		}
		a := alarm{f[0], f[1]}
		l.lines[a] += n
		if l.classes[a] == nil {
			l.classes[a] = map[string]int{}
		}
		l.classes[a][f[3]] += n
	}
	return l
}

func readLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// escapeModule escapes a module path as the module cache does: a capital becomes
// an exclamation mark and the small letter.
func escapeModule(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isFixed reports whether a folder of the module cache belongs to a measured
// module.
func (l *alarmList) isFixed(path string) bool {
	return slices.Contains(l.modules, filepath.ToSlash(path))
}

// report prints the sums by kind and, if there is a list, by class, and every
// file whose altered lines nobody has examined.
func (c *count) report(t *testing.T, what string, l *alarmList) {
	t.Helper()
	t.Logf("%s: %d files, %d lines, %d altered (%.4f %%)", what, c.files, c.lines, c.altered, 100*float64(c.altered)/float64(max(1, c.lines)))
	kinds, classes := map[string]int{}, map[string]int{}
	for _, a := range c.sorted() {
		n := c.at[a]
		kinds[a.kind] += n
		if l == nil {
			continue
		}
		if n != l.lines[a] {
			classes["not yet looked at"] += n
			t.Logf("    not yet looked at: %s\t%s\t%d (the table has %d)", a.path, a.kind, n, l.lines[a])
			continue
		}
		for class, k := range l.classes[a] {
			classes[class] += k
		}
	}
	keys := kinds["PRIVATE_KEY"]
	t.Logf("    without private keys, which are secrets by their form wherever they stand and of which each line counts: %d (%.4f %%)", c.altered-keys, 100*float64(c.altered-keys)/float64(max(1, c.lines)))
	t.Logf("    by kind:  %s", sums(kinds))
	if l != nil {
		t.Logf("    by class: %s", sums(classes))
	}
}

func (c *count) sorted() []alarm {
	return slices.SortedFunc(maps.Keys(c.at), func(a, b alarm) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.kind, b.kind))
	})
}

func sums(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

// matches checks that the list agrees exactly with what was counted in the files
// under the prefixes.
func (c *count) matches(t *testing.T, l *alarmList, prefixes ...string) bool {
	t.Helper()
	listed := map[alarm]int{}
	for a, n := range l.lines {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(a.path, p) }) {
			listed[a] = n
		}
	}
	for a, n := range listed {
		if c.at[a] < n {
			t.Logf("no longer altered: %s\t%s\t%d (the table has %d)", a.path, a.kind, c.at[a], n)
		}
	}
	return maps.Equal(listed, c.at)
}

// TestDocumentedAlarms compares the table of classes in the documentation with
// the list.
func TestDocumentedAlarms(t *testing.T) {
	l := readAlarms(t)
	type sum struct{ goroot, modules int }
	want := map[string]sum{}
	for a, classes := range l.classes {
		for class, n := range classes {
			s := want[class]
			if strings.HasPrefix(a.path, "go/") {
				s.goroot += n
			} else {
				s.modules += n
			}
			want[class] = s
		}
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "redaction.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range slices.Sorted(maps.Keys(want)) {
		s := want[class]
		row := fmt.Sprintf("| %s | %d | %d |", class, s.goroot, s.modules)
		if !strings.Contains(string(doc), row) {
			t.Errorf("docs/redaction.md has no row %q", row)
		}
	}
}
