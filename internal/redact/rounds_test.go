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

// TestThreeRoundsSuffice checks that at most three rounds find something in
// generated text, and reports how many do. The fourth round hides everything from
// the line of its first find to the end, which bounds the time; only text made
// for the purpose gets so far.
func TestThreeRoundsSuffice(t *testing.T) {
	documents, first := uint64(400), uint64(0)
	if *evaluate {
		documents, first = 40_000, evaluationSeed(t)
	}
	t.Logf("seeds from %d", first)
	var c roundCounts
	for seed := first; seed < first+documents; seed++ {
		d := generate("mixed", seed)
		c.text(t, d.String())
	}
	c.report(t, "generated documents")
	if !*evaluate {
		return
	}
	root, _ := goFolders(t)
	c = roundCounts{}
	c.tree(t, root)
	c.report(t, "pieces of the Go distribution")
}

// roundCounts counts texts by the number of rounds that found something.
type roundCounts struct {
	engine redact.Engine
	count  [redact.WideningRound + 1]int
}

func (c *roundCounts) text(t *testing.T, text string) {
	t.Helper()
	n := c.engine.Rounds(text)
	if n > redact.WideningRound {
		t.Errorf("more than %d rounds find something in a text of %d bytes that begins %.60q", redact.WideningRound, len(text), text)
		n = redact.WideningRound
	}
	c.count[n]++
}

// pieceLines is the number of lines in a piece.
const pieceLines = 40

// tree redacts the files of a folder in pieces.
func (c *roundCounts) tree(t *testing.T, root string) {
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

func (c *roundCounts) report(t *testing.T, what string) {
	t.Helper()
	all := 0
	for _, n := range c.count {
		all += n
	}
	t.Logf("%s: %d, by rounds that found something: %v", what, all, c.count)
}
