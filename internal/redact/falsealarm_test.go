package redact_test

import (
	"bytes"
	"flag"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/redact"
)

var (
	evaluate = flag.Bool("redact.eval", false, "measure recall and false alarms (make redact-eval)")
	evalShow = flag.Int("redact.show", 0, "print this many altered lines of each tree")
	evalRoot = flag.String("redact.root", "", "measure this folder instead of the Go trees")
)

// TestEvalFalseAlarms counts the lines altered in the Go distribution and in
// the module cache, which hold code, documentation and test data of hundreds
// of authors, and hardly a real secret.
func TestEvalFalseAlarms(t *testing.T) {
	if !*evaluate {
		t.Skip("run make redact-eval: it reads every file of GOROOT and GOMODCACHE")
	}
	for _, root := range evalRoots(t) {
		c := count{show: *evalShow, kinds: map[string]int{}}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				c.file(t, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d files, %d lines, %d altered (%.4f %%)", root, c.files, c.lines, c.altered, 100*float64(c.altered)/float64(max(1, c.lines)))
		for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
			t.Logf("    %-14s %d lines", kind, c.kinds[kind])
		}
	}
}

func evalRoots(t *testing.T) []string {
	t.Helper()
	if *evalRoot != "" {
		return []string{*evalRoot}
	}
	out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		t.Skipf("go env: %v", err)
	}
	return strings.Fields(string(out))
}

// count is the sum over a tree.
type count struct {
	engine                redact.Engine
	files, lines, altered int
	show                  int
	kinds                 map[string]int
}

const chunk = 50_000

func (c *count) file(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 || !utf8.Valid(data) || strings.Contains(path, "/cache/vcs/") {
		return
	}
	c.files++
	for len(data) > 0 {
		n := len(data)
		if n > chunk {
			n = bytes.LastIndexByte(data[:chunk], '\n') + 1
			if n == 0 {
				n = chunk
			}
		}
		c.text(t, path, string(data[:n]))
		data = data[n:]
	}
}

func (c *count) text(t *testing.T, path, text string) {
	t.Helper()
	c.lines += strings.Count(text, "\n")
	end := -1
	for _, s := range c.engine.Spans(text) {
		from := strings.LastIndexByte(text[:s.Start], '\n') + 1
		to := s.End
		if k := strings.IndexByte(text[s.End:], '\n'); k >= 0 {
			to += k
		}
		n := 1 + strings.Count(text[s.Start:s.End], "\n")
		if from < end {
			n--
		}
		end = to
		c.altered += n
		c.kinds[s.Kind] += n
		if c.show > 0 && n > 0 {
			c.show--
			t.Logf("%s\t%s\t>>> %s", filepath.Base(path), strings.TrimSpace(text[from:min(to, from+220)]), text[s.Start:min(s.End, s.Start+80)])
		}
	}
}
