package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// cases are the names of tests and subtests that have no subtests, by package.
type cases map[string][]string

func (c cases) count() (n int) {
	for _, names := range c {
		n += len(names)
	}
	return n
}

// namedIn returns the cases whose names other has too, in any package, since tests move
// with the code that they test.
func (c cases) namedIn(other cases) cases {
	known := map[string]bool{}
	for _, names := range other {
		for _, name := range names {
			known[name] = true
		}
	}
	common := cases{}
	for pkg, names := range c {
		for _, name := range names {
			if known[name] {
				common[pkg] = append(common[pkg], name)
			}
		}
	}
	return common
}

// patterns returns, for each package of some, the argument of -test.run that selects
// exactly these of all cases.
func patterns(some, all cases) map[string]string {
	out := map[string]string{}
	for pkg, names := range some {
		total := perTest(all[pkg])
		var whole, parts []string
		for test, n := range perTest(names) {
			if n == total[test] {
				whole = append(whole, test)
				continue
			}
			parts = append(parts, subtests(test, names)...)
		}
		if len(whole) > 0 {
			parts = append(parts, anyOf(whole))
		}
		slices.Sort(parts)
		out[pkg] = strings.Join(parts, "|")
	}
	return out
}

// perTest returns the number of cases of each test.
func perTest(names []string) map[string]int {
	n := map[string]int{}
	for _, name := range names {
		test, _, _ := strings.Cut(name, "/")
		n[test]++
	}
	return n
}

// subtests returns a pattern for each group of the test's cases that have the same
// parent.
func subtests(test string, names []string) (out []string) {
	siblings := map[string][]string{}
	for _, name := range names {
		if strings.HasPrefix(name, test+"/") {
			at := strings.LastIndexByte(name, '/')
			siblings[name[:at]] = append(siblings[name[:at]], name[at+1:])
		}
	}
	for parent, group := range siblings {
		var levels []string
		for _, level := range strings.Split(parent, "/") {
			levels = append(levels, anyOf([]string{level}))
		}
		out = append(out, strings.Join(append(levels, anyOf(group)), "/"))
	}
	return out
}

// anyOf returns a pattern that matches only the given names.
func anyOf(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	slices.Sort(quoted)
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// result is what a run of go test has shown.
type result struct {
	cases
	took      time.Duration
	durations map[string]float64 // of each package, in seconds
}

// longestFirst returns the packages of some, the longest first, or it would run alone at
// the end.
func (r result) longestFirst(some cases) []string {
	return slices.SortedFunc(maps.Keys(some), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.durations[b], r.durations[a]), strings.Compare(a, b))
	})
}

// tests runs the tests of packages, or all, in a folder. It builds what they test first.
func tests(ctx context.Context, dir string, flags, packages []string, env ...string) (result, error) {
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	build := exec.CommandContext(ctx, "go", append([]string{"test", "-run=^$"}, packages...)...) //nolint:gosec // G204: packages that go test named
	build.Dir, build.Stdout, build.Stderr = dir, os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return result{}, fmt.Errorf("build the tests in %s: %w", dir, err)
	}
	fmt.Fprintln(os.Stderr, "running the tests in", dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	test := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-count=1", "-json"}, flags, packages)...) //nolint:gosec // G204: the user's flags
	test.Dir, test.Stderr, test.Env, test.WaitDelay = dir, os.Stderr, append(os.Environ(), env...), 10*time.Second
	test.Cancel = func() error { return test.Process.Signal(os.Interrupt) }
	out, err := test.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	if err := test.Start(); err != nil {
		return result{}, err
	}
	r, readErr := read(out)
	if readErr != nil {
		cancel()
	}
	err = test.Wait()
	r.took = time.Since(begun)
	if err := cmp.Or(readErr, err); err != nil {
		return r, fmt.Errorf("tests in %s: %w", dir, err)
	}
	return r, nil
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// read reads the output of go test -json.
func read(from io.Reader) (result, error) {
	r := result{cases: cases{}, durations: map[string]float64{}}
	ended, output := map[string][]string{}, map[string]string{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return r, fmt.Errorf("read %q: %w", lines.Text(), err)
		}
		switch {
		case e.Action == "output":
			output[e.Package+" "+e.Test] += e.Output
		case e.Action == "fail":
			fmt.Fprintln(os.Stderr, output[e.Package+" "+e.Test])
		case e.Action != "pass" && e.Action != "skip":
		case e.Test == "":
			r.durations[e.Package] = e.Elapsed
		default:
			ended[e.Package] = append(ended[e.Package], e.Test)
		}
	}
	for pkg, names := range ended {
		r.cases[pkg] = leaves(names)
	}
	return r, lines.Err()
}

// leaves returns the names below which there are no others.
func leaves(names []string) (out []string) {
	parents := map[string]bool{}
	for _, name := range names {
		for at, c := range name {
			if c == '/' {
				parents[name[:at]] = true
			}
		}
	}
	for _, name := range names {
		if !parents[name] {
			out = append(out, name)
		}
	}
	return out
}
