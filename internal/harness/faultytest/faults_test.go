package faultytest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
)

// harmless lists switches for behaviour that is allowed.
var harmless = []string{"slow-large"}

// TestTable checks that each fault of the server is in the table once, with the finding
// that the harness must report and the way in which it is found.
func TestTable(t *testing.T) {
	ways := []faultytest.By{
		faultytest.ByRun, faultytest.ByRevision, faultytest.ByList, faultytest.ByDiff,
		faultytest.ByProbe, faultytest.ByWeb, faultytest.ByFuzz,
	}
	known := map[string]bool{}
	for _, f := range faultytest.Faults {
		if known[f.Name] {
			t.Errorf("%s is in the table twice", f.Name)
		}
		known[f.Name] = true
		if slices.Contains(harmless, f.Name) {
			continue
		}
		isKind := slices.ContainsFunc(finding.Kinds, func(k struct {
			Kind  finding.Kind
			About string
		},
		) bool {
			return string(k.Kind) == f.Kind
		})
		if f.About == "" || !isKind || !slices.Contains(ways, f.By) {
			t.Errorf("%+v names no kind of finding or no way", f)
		}
	}
	if n := len(known) - len(harmless); n < 30 {
		t.Errorf("only %d faults", n)
	}
	switched := switches(t)
	for name := range known {
		if !switched[name] {
			t.Errorf("%s is in the table, but not in the code", name)
		}
	}
	for name := range switched {
		if !known[name] {
			t.Errorf("%s is switched in the code and is not in the table", name)
		}
	}
	t.Logf("%d faults and %d harmless switches", len(known)-len(harmless), len(harmless))
}

// switches returns the names that the code of the server looks up.
func switches(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	// Either a look-up, or a line of a map from faults to what they change.
	look := regexp.MustCompile(`faults\["([a-z0-9-]+)"\]|(?m)^\t\t"([a-z0-9-]+)": +func\(`)
	found := map[string]bool{}
	for _, file := range files {
		if file == "faults.go" || file == "faults_test.go" {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range look.FindAllStringSubmatch(string(data), -1) {
			found[m[1]+m[2]] = true
		}
	}
	return found
}
