package cli_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// module is the name of this module.
const module = "example.org/bridge"

// packages lists the module's packages with their files and imports.
func packages(t *testing.T) map[string]struct{ files, imports []string } {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}|{{join .GoFiles \" \"}} {{join .IgnoredGoFiles \" \"}}|{{join .Imports \" \"}}", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]struct{ files, imports []string }{}
	for line := range strings.Lines(string(out)) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		all[parts[0]] = struct{ files, imports []string }{strings.Fields(parts[1]), strings.Fields(parts[2])}
	}
	return all
}

// TestLayout checks that no package has too many files, that no chain of imports is too
// long, and that each package has a rule about what it may import.
func TestLayout(t *testing.T) {
	const mostFiles, longestChain = 30, 6
	large := map[string]bool{"internal/cli": true, "internal/guard/shell": true, "internal/redact": true}
	rules, err := os.ReadFile(filepath.Join("..", "..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	all := packages(t)
	if len(all) < 20 {
		t.Fatalf("only %d packages were found", len(all))
	}
	for path, p := range all {
		room := strings.TrimPrefix(path, module+"/")
		named := 0
		for _, file := range p.files {
			if !strings.HasSuffix(file, "_test.go") && !platformFile(file) {
				named++
			}
		}
		if named > mostFiles && !large[room] {
			t.Errorf("%s has %d files, %d is the most: divide it", room, named, mostFiles)
		}
		if strings.HasPrefix(room, "internal/") && room != "internal/cli" && !onlyForTests(room) &&
			!strings.Contains(string(rules), "**/"+room+"/") {
			t.Errorf("%s has no rule in .golangci.yml about what it may import", room)
		}
	}
	depth := map[string]int{}
	var floors func(path string) int
	floors = func(path string) int {
		if d, ok := depth[path]; ok {
			return d
		}
		deepest := 0
		for _, imported := range all[path].imports {
			if strings.HasPrefix(imported, module+"/internal/") {
				deepest = max(deepest, floors(imported))
			}
		}
		depth[path] = deepest + 1
		return deepest + 1
	}
	if d := floors(module + "/internal/cli"); d > longestChain {
		t.Errorf("the longest chain of imports from cli down has %d packages, %d is the most", d, longestChain)
	}
}

// TestFilesAreShort checks that no source file has more than 500 lines. The linter
// checks that no function has more than 40.
func TestFilesAreShort(t *testing.T) {
	const mostLines = 500
	root, read := filepath.Join("..", ".."), 0
	for _, top := range []string{"bench", "cmd", "deploy", "internal", "packaging", "scripts", "test"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			if n := strings.Count(string(text), "\n"); n > mostLines {
				t.Errorf("%s has %d lines, %d is the most: divide it", path, n, mostLines)
			}
			read++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if read < 1000 {
		t.Errorf("only %d files were found", read)
	}
}

// row matches a row in the table of packages: the floor and the names.
var row = regexp.MustCompile(`(?m)^\| ([0-9]) \| ([^|]+) \|`)

// TestFloors checks that each package is on a floor in docs/architecture.md that is
// above all floors that it imports from. Packages of one group, such as guard, may
// import each other.
func TestFloors(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	floor := map[string]string{}
	for _, r := range row.FindAllStringSubmatch(string(page), -1) {
		for _, name := range span.FindAllStringSubmatch(r[2], -1) {
			floor[strings.TrimSuffix(strings.TrimPrefix(name[1], "internal/"), "/…")] = r[1]
		}
	}
	group := func(path string) string {
		name, _, _ := strings.Cut(strings.TrimPrefix(path, module+"/internal/"), "/")
		return name
	}
	for path, p := range packages(t) {
		own := group(path)
		if !strings.HasPrefix(path, module+"/internal/") || onlyForTests(path) {
			continue
		}
		if floor[own] == "" {
			t.Errorf("%s is on no floor", own)
		}
		for _, imported := range p.imports {
			if strings.HasPrefix(imported, module+"/internal/") && group(imported) != own && floor[group(imported)] >= floor[own] {
				t.Errorf("%s, on floor %s, imports %s, on floor %s", path, floor[own], imported, floor[group(imported)])
			}
		}
	}
}

// span matches a code span in a page.
var span = regexp.MustCompile("`([^`]+)`")

// TestWhereIsIt checks that the folders and files named in docs/architecture.md under
// "where is it?" exist, and that every package is in that table.
func TestWhereIsIt(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	floors, questions, _ := strings.Cut(string(page), "### Where is it?")
	questions, _, _ = strings.Cut(questions, "\n## ")
	answered := 0
	for line := range strings.Lines(questions) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.HasSuffix(strings.TrimSpace(cells[1]), "?") {
			continue
		}
		answered++
		folder := ""
		for _, word := range span.FindAllStringSubmatch(cells[2], -1) {
			if path := filepath.Join(root, "internal", word[1]); isFolder(path) {
				folder = path
			} else if _, err := os.Stat(filepath.Join(folder, word[1])); err != nil || folder == "" {
				t.Errorf("%q is answered with %s, which is not there", cells[1], word[1])
			}
		}
	}
	if answered < 10 {
		t.Errorf("only %d questions are answered", answered)
	}
	for path := range packages(t) {
		room, ours := strings.CutPrefix(path, module+"/internal/")
		group, _, _ := strings.Cut(room, "/")
		if ours && !strings.Contains(floors, "`"+room+"`") && !strings.Contains(floors, "`internal/"+room+"`") && !strings.Contains(floors, "`internal/"+group) {
			t.Errorf("docs/architecture.md does not say what %s is", room)
		}
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// TestDecisions checks that each page of docs/decisions has a unique number and is
// listed once.
func TestDecisions(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "decisions")
	list, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(os.DirFS(folder), "[0-9]*.md")
	if err != nil || len(pages) < 40 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	of := map[string]string{}
	for _, page := range pages {
		name := filepath.Base(page)
		number, _, _ := strings.Cut(name, "-")
		if other := of[number]; other != "" {
			t.Errorf("%s and %s have the same number", other, name)
		}
		of[number] = name
		if n := strings.Count(string(list), "("+name+")"); n != 1 {
			t.Errorf("%s is listed %d times", name, n)
		}
		text, err := os.ReadFile(filepath.Join(folder, page))
		if err != nil || !strings.HasPrefix(string(text), "# "+number) {
			t.Errorf("%s does not begin with its number: %v", name, err)
		}
	}
}

func onlyForTests(room string) bool {
	return strings.HasSuffix(room, "test") // storetest, bridgetest, guardtest
}

// platformFile reports whether a file is one platform's version of another file.
func platformFile(name string) bool {
	for _, platform := range []string{"linux", "darwin", "windows", "unix", "other", "amd64", "arm64"} {
		if strings.HasSuffix(strings.TrimSuffix(name, ".go"), "_"+platform) {
			return true
		}
	}
	return false
}
