package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPatterns checks that the patterns select the cases that both trees have, whatever
// characters their names contain, and no others.
func TestPatterns(t *testing.T) {
	t.Parallel()
	before := cases{"old": {"TestA/a.b", "TestA/a|b", "TestA/deep/one", "TestMoved", "TestWhole/x", "TestGone"}}
	now := cases{
		"new": {"TestA/a.b", "TestA/a|b", "TestA/axb", "TestA/deep/one", "TestA/deep/two", "TestA/a", "TestWhole/x", "TestNew"},
		"own": {"TestMoved", "TestMovedNot"},
	}
	common := now.namedIn(before)
	if n := common.count(); n != 5 {
		t.Errorf("%d common cases: %q", n, common)
	}
	for pkg, pattern := range patterns(common, now) {
		var selected []string
		for _, name := range now[pkg] {
			if matches(t, pattern, name) {
				selected = append(selected, name)
			}
		}
		if !slices.Equal(selected, common[pkg]) {
			t.Errorf("%s: %s selects %q, want %q", pkg, pattern, selected, common[pkg])
		}
	}
}

// matches reports whether a name is selected, as package testing defines it: one of the
// alternatives matches level by level.
func matches(t *testing.T, pattern, name string) bool {
	t.Helper()
	alternatives := regexp.MustCompile(`\|\^`).Split(pattern, -1)
	return slices.ContainsFunc(alternatives, func(alternative string) bool {
		levels := strings.Split(name, "/")
		for i, level := range strings.Split(strings.TrimPrefix(alternative, "^"), "/") {
			if i >= len(levels) || !regexp.MustCompile("^"+level).MatchString(levels[i]) {
				return false
			}
		}
		return true
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := read(strings.NewReader(`{"Action":"start","Package":"p"}
{"Action":"pass","Package":"p","Test":"TestA/b/c","Elapsed":1}
{"Action":"skip","Package":"p","Test":"TestA/b/d"}
{"Action":"pass","Package":"p","Test":"TestA/b"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"ok\n"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Elapsed":3}
{"Action":"pass","Package":"q","Test":"TestC"}
{"Action":"pass","Package":"q","Elapsed":4}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"TestA/b/c", "TestA/b/d", "TestB"}; !slices.Equal(r.cases["p"], want) {
		t.Errorf("cases %q, want %q", r.cases["p"], want)
	}
	if got := r.longestFirst(r.cases); !slices.Equal(got, []string{"q", "p"}) {
		t.Errorf("longest first: %q of %v", got, slices.Collect(maps.Keys(r.durations)))
	}
}
