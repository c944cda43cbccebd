package relpath_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/relpath"
)

func TestClean(t *testing.T) {
	for path, want := range map[string]string{
		"a.go":               "a.go",
		"./src//a.go":        "src/a.go",
		"src/":               "src/**",
		"caf\u0065\u0301.md": "caf\u00e9.md",
		"a/./b":              "a/b",
		"app/[id]/{x}.tsx":   "app/[id]/{x}.tsx",
	} {
		if got, problem := relpath.Clean(path); got != want || problem != "" {
			t.Errorf("%q: %q, %q", path, got, problem)
		}
	}
	for _, path := range []string{
		"", ".", "./", "/a", "~/a", "c:/a", `a\b`, "..", "a/../b", "a\nb", "\x1b", "\xff", strings.Repeat("x", relpath.MaxLength+1),
	} {
		if got, problem := relpath.Clean(path); got != "" || problem == "" {
			t.Errorf("%q: %q, %q", path, got, problem)
		}
	}
}
