package main

import (
	"path/filepath"
	"strings"
	"time"
)

// batch is a set of units of one package that are run in one process, so that a server
// is started only once.
type batch []*unit

// batchTime is approximately how long the units of a batch take without a
// change.
const batchTime = 15 * time.Second

// pass is a unit that did not notice a change.
type pass struct {
	Change string `json:"change"`
	Dir    string `json:"dir"`
	Run    string `json:"run"`
}

// passes is the file in which passes are kept.
func (t *tests) passes() string { return filepath.Join(t.dir, "passes.jsonl") }

// batches divides units, quickest first. Groups of a store's tests have batches of
// their own, because one pattern cannot select both them and whole tests.
func batches(units []*unit) (all []batch) {
	type kind struct {
		dir    string
		groups bool
	}
	open, took := map[kind]int{}, map[kind]time.Duration{}
	for _, u := range units {
		k := kind{u.Dir, strings.Contains(u.Run, "/")}
		if at, ok := open[k]; ok && took[k]+u.Took <= batchTime {
			all[at] = append(all[at], u)
			took[k] += u.Took
			continue
		}
		open[k], took[k] = len(all), u.Took
		all = append(all, batch{u})
	}
	return all
}

// notice returns the unit that fails twice with a change, or "".
func (b batch) notice(mutant string) (by string) {
	if len(b) > 1 {
		text, err := b.whole().test(30*time.Second+20*b.whole().Took, mutant)
		if err == nil {
			return ""
		}
		for _, found := range failure.FindAllSubmatch(text, -1) { // the one that failed is run first
			for i, u := range b {
				if u.covers(string(found[1])) {
					b[0], b[i] = b[i], b[0]
				}
			}
		}
	}
	for _, u := range b {
		if by := u.notice(mutant); by != "" {
			return by
		}
	}
	return ""
}

// covers reports whether the unit includes a test.
func (u *unit) covers(test string) bool {
	name, group, _ := strings.Cut(test, "/")
	want, wantGroup, _ := strings.Cut(u.Run, "/")
	group, _, _ = strings.Cut(group, "/")
	return want == "^"+name+"$" && (wantGroup == "" || wantGroup == "^"+group+"$")
}

// whole returns a single unit with all tests of the batch.
func (b batch) whole() *unit {
	all := &unit{program: b[0].program, Dir: b[0].Dir}
	before := ""
	var names []string
	for _, u := range b {
		name := u.Run
		if test, group, ok := strings.Cut(u.Run, "/"); ok {
			before, name = test+"/", group
		}
		names = append(names, name)
		all.Took += u.Took
	}
	all.Run = before + "(" + strings.Join(names, "|") + ")"
	return all
}
