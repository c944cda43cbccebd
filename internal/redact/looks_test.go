package redact_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/redact"
)

// TestThreeLooksSuffice: the fourth look hides everything from the line of its first
// find to the end, which bounds the time. No text but one made for it comes so far.
func TestThreeLooksSuffice(t *testing.T) {
	documents, first := uint64(400), uint64(0)
	if *evaluate {
		documents, first = 40_000, evaluationSeed(t)
	}
	t.Logf("seeds from %d", first)
	var c looks
	for seed := first; seed < first+documents; seed++ {
		d := generate("mixed", seed)
		c.text(t, d.String())
	}
	c.report(t, "generated documents")
	if !*evaluate {
		return
	}
	root, _ := goFolders(t)
	c = looks{}
	c.tree(t, root)
	c.report(t, "pieces of the Go distribution")
}

// looks counts texts by the number of looks that found something.
type looks struct {
	engine redact.Engine
	count  [redact.LastLooks + 1]int
}

func (c *looks) text(t *testing.T, text string) {
	t.Helper()
	n := c.engine.Looks(text)
	if n > redact.LastLooks {
		t.Errorf("more than %d looks find something in a text of %d bytes that begins %.60q", redact.LastLooks, len(text), text)
		n = redact.LastLooks
	}
	c.count[n]++
}

// pieceLines is the length of a piece.
const pieceLines = 40

// tree looks at the files of a folder in pieces.
func (c *looks) tree(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !utf8.Valid(data) {
			return err
		}
		lines := strings.SplitAfter(string(data), "\n")
		for len(lines) > 0 {
			n := min(pieceLines, len(lines))
			c.text(t, strings.Join(lines[:n], ""))
			lines = lines[n:]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *looks) report(t *testing.T, what string) {
	t.Helper()
	all := 0
	for _, n := range c.count {
		all += n
	}
	t.Logf("%s: %d, by looks that found something: %v", what, all, c.count)
}
