package guard_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/guard/verdict"
)

// TestRuleNamesInTheDocuments checks that docs/yolo.md lists exactly the existing
// rules, and that the examples name no others.
func TestRuleNamesInTheDocuments(t *testing.T) {
	text, err := os.ReadFile("../../docs/yolo.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "### The names of the rules\n")
	list, _, _ = strings.Cut(list, "\n### ")
	list, _, _ = strings.Cut(list, "\n## ")
	if !found {
		t.Fatal("docs/yolo.md has no list of rules")
	}
	var documented, known []string
	for _, m := range regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`").FindAllStringSubmatch(list, -1) {
		documented = append(documented, m[1])
	}
	for _, r := range verdict.Rules() {
		known = append(known, string(r))
	}
	slices.Sort(documented)
	slices.Sort(known)
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("the rules, and those documented: %s", diff)
	}
	for _, m := range regexp.MustCompile(`(?m)^rule: (.+)$`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("an example names the rule %q, which does not exist", m[1])
		}
	}
}
