package redact_test

import (
	"bytes"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/redact"
)

var (
	evaluate = flag.Bool("redact.eval", false, "measure recall and false alarms (make redact-eval)")
	evalShow = flag.Int("redact.show", 0, "print this many altered lines of each tree")
	evalSeed = flag.String("redact.seed", "1", "generate the evaluations' data from this number, or from a random one")
	evalRoot = flag.String("redact.root", "", "measure this folder instead of the Go trees")
)

// evaluationSeed is the seed of the data for an evaluation. It is fixed, so that
// the results before and after a change can be compared, unless the flag sets
// another.
func evaluationSeed(t *testing.T) uint64 {
	t.Helper()
	if *evalSeed == "random" {
		return rand.Uint64N(1 << 40)
	}
	seed, err := strconv.ParseUint(*evalSeed, 10, 64)
	if err != nil {
		t.Fatalf("-redact.seed %q: neither a number nor random", *evalSeed)
	}
	return seed
}

// TestEvalFalseAlarms counts the lines that are altered in the Go distribution
// and in a fixed set of modules, and assigns each file to its class in
// testdata/alarms.tsv. These trees contain code, documentation and test data of
// many authors and hardly any real secrets. The rest of the module cache is
// counted separately.
func TestEvalFalseAlarms(t *testing.T) {
	if !*evaluate {
		t.Skip("run make redact-eval: it reads every file of GOROOT and GOMODCACHE")
	}
	if *evalRoot != "" {
		c := newCount(t)
		c.tree(t, *evalRoot, "")
		c.report(t, *evalRoot, nil)
		return
	}
	root, cache := goFolders(t)
	list := readAlarms(t)
	exact := runtime.Version() == list.version

	c := newCount(t)
	c.tree(t, root, "go/")
	c.report(t, "the Go distribution", &list)
	exact = c.matches(t, &list, "go/") && exact

	c = newCount(t)
	missing := 0
	for _, m := range list.modules {
		if _, err := os.Stat(filepath.Join(cache, m)); err != nil {
			t.Logf("not in the module cache: %s (go mod download)", m)
			missing++
			continue
		}
		c.tree(t, filepath.Join(cache, m), m+"/")
	}
	c.report(t, "the fixed modules", &list)
	exact = c.matches(t, &list, list.modules...) && exact

	if runtime.Version() == list.version && missing == 0 && !exact {
		t.Error("the lines above are not those of testdata/alarms.tsv: look at them and correct the table")
	}
	c = newCount(t)
	c.skip = list.isFixed
	c.tree(t, cache, "")
	c.report(t, "the rest of the module cache", nil)
}

func goFolders(t *testing.T) (root, cache string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		t.Skipf("go env: %v", err)
	}
	dirs := strings.Fields(string(out))
	return dirs[0], dirs[1]
}

// alarm identifies altered lines: a file, by its module or "go", and a kind.
type alarm struct{ path, kind string }

// count holds the sums over several trees.
type count struct {
	engine                redact.Engine
	files, lines, altered int
	show                  int
	at                    map[alarm]int
	skip                  func(path string) bool
}

func newCount(t *testing.T) *count {
	t.Helper()
	return &count{show: *evalShow, at: map[alarm]int{}}
}

// tree adds the files below root to the sum, where prefix replaces root.
func (c *count) tree(t *testing.T, root, prefix string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if err == nil && d.IsDir() && (rel == "cache" || c.skip != nil && c.skip(rel)) {
			return fs.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			c.file(t, path, prefix+filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const chunk = 50_000

func (c *count) file(t *testing.T, path, name string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 || !utf8.Valid(data) {
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
		c.text(t, name, string(data[:n]))
		data = data[n:]
	}
}

func (c *count) text(t *testing.T, name, text string) {
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
		if n == 0 {
			continue
		}
		c.altered += n
		c.at[alarm{name, s.Kind}] += n
		if c.show > 0 {
			c.show--
			t.Logf("%s\t%s\t>>> %s", name, strings.TrimSpace(text[from:min(to, from+220)]), text[s.Start:min(s.End, s.Start+80)])
		}
	}
}
