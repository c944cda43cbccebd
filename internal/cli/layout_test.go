package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the name of this one.
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

// TestLayout: no room is too large, no chain of imports too long, and each room
// has a rule about what it may import.
func TestLayout(t *testing.T) {
	const mostFiles, mostFloors = 30, 6
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
	if d := floors(module + "/internal/cli"); d > mostFloors+1 {
		t.Errorf("the longest chain of imports below cli has %d packages, %d is the most", d, mostFloors+1)
	}
}

func onlyForTests(room string) bool {
	return strings.HasSuffix(room, "test") // storetest, bridgetest, guardtest
}

// platformFile reports whether a file is one platform's form of another.
func platformFile(name string) bool {
	for _, platform := range []string{"linux", "darwin", "windows", "unix", "other", "amd64", "arm64"} {
		if strings.HasSuffix(strings.TrimSuffix(name, ".go"), "_"+platform) {
			return true
		}
	}
	return false
}
