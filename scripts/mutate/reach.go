package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unit is a test that is run by itself, or a group of a store's tests.
type unit struct {
	program, dir string // the built tests, and where they run
	run          string // what -test.run takes
	took         time.Duration
	reaches      map[int]bool
}

// long is how long a test takes that is told of: it may belong into slow.
const long = 8 * time.Second

// ownOnly is the package whose tests are left to its own changes: they start a server,
// and what every store must do is quicker to see in the other one.
const ownOnly = "internal/postgres"

// tests is what runs the tests of all packages with the switches in them.
type tests struct {
	dir, overlay string
	units        []*unit
	left         []string // fails without any change
}

// build builds the tests of a package.
func (t *tests) build(dir string) (program string, err error) {
	program = filepath.Join(t.dir, filepath.Base(dir)+".test")
	if text, err := goTool("test", "-c", "-vet=off", "-overlay", t.overlay, "-o", program, "./"+dir); err != nil {
		return "", fmt.Errorf("go test -c: %w: %s", err, text)
	}
	return program, nil
}

// look runs each test of a package once, without a change, and notes what it reaches.
func (t *tests) look(dir string) error {
	program, err := t.build(dir)
	if err != nil {
		return err
	}
	names, err := t.names(program, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		u := &unit{program: program, dir: dir, run: name}
		trace := filepath.Join(t.dir, "trace")
		_ = os.Remove(trace)
		start := time.Now()
		if _, err := u.test(limit, "MUTANT_TRACE="+trace); err != nil {
			t.left = append(t.left, filepath.Base(dir)+" "+name)
			continue
		}
		if u.took = time.Since(start); u.took > long {
			fmt.Printf("took %s: %s %s\n", u.took.Round(time.Second), dir, name)
		}
		if u.reaches, err = reached(trace); err != nil {
			return err
		}
		t.units = append(t.units, u)
	}
	return nil
}

// names lists the tests of a package, and the groups of those that every store meets.
func (t *tests) names(program, dir string) (names []string, err error) {
	list, err := (&unit{program: program, dir: dir}).command("-test.list", "^Test").Output()
	if err != nil {
		return nil, err
	}
	tooSlow := regexp.MustCompile(slow)
	for name := range strings.Lines(string(list)) {
		switch name = strings.TrimSpace(name); {
		case tooSlow.MatchString(name):
		case name != "TestStore":
			names = append(names, "^"+name+"$")
		default:
			groups, err := groups(program, dir)
			if err != nil {
				return nil, err
			}
			names = append(names, groups...)
		}
	}
	return names, nil
}

var groupName = regexp.MustCompile(`(?m)^=== RUN +TestStore/([^/\s]+)`)

func groups(program, dir string) (names []string, err error) {
	text, err := (&unit{program: program, dir: dir, run: "^TestStore$"}).test(limit, "-v")
	if err != nil {
		return nil, fmt.Errorf("TestStore of %s fails without a change: %w", dir, err)
	}
	for _, found := range groupName.FindAllSubmatch(text, -1) {
		names = append(names, "^TestStore$/^"+string(found[1])+"$")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func reached(trace string) (map[int]bool, error) {
	text, err := os.ReadFile(trace)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	reached := map[int]bool{}
	for line := range strings.Lines(string(text)) {
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			reached[n] = true
		}
	}
	return reached, nil
}

// test runs the unit. more holds variables of the environment, and "-v".
func (u *unit) test(limit time.Duration, more ...string) ([]byte, error) {
	args := []string{"-test.short", "-test.failfast", "-test.run", u.run, "-test.timeout", limit.String()}
	var env []string
	for _, m := range more {
		if m == "-v" {
			args = append(args, "-test.v")
			continue
		}
		env = append(env, m)
	}
	cmd := u.command(args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd.CombinedOutput()
}

func (u *unit) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), u.program, args...) //nolint:gosec // G204: tests that we built
	cmd.Dir = u.dir
	cmd.WaitDelay = time.Second // what a test left behind may hold its output
	return cmd
}

// notice runs the tests that reach a change with it, and returns the first that fails
// twice, or "". A test that fails once does not count: on a busy machine some miss a
// deadline.
func (t *tests) notice(n int, changed string) (by string) {
	var units []*unit
	for _, u := range t.units {
		if u.reaches[n] && (u.dir == changed || u.dir != ownOnly) {
			units = append(units, u)
		}
	}
	slices.SortStableFunc(units, func(a, b *unit) int { return cmp.Compare(a.took, b.took) })
	for _, u := range units {
		limit := 30*time.Second + 20*u.took // it was quick without the change
		text, err := u.test(limit, "MUTANT="+strconv.Itoa(n))
		if err == nil {
			continue
		}
		if _, err := u.test(limit, "MUTANT="+strconv.Itoa(n)); err == nil {
			continue
		}
		name := u.run
		if found := failure.FindSubmatch(text); found != nil {
			name = string(found[1])
		}
		return filepath.Base(u.dir) + " " + name
	}
	return ""
}

// tryAll tries changes: those with a switch in one build, the others alone.
func tryAll(open []change, sources map[string]*source, report func(change, result) error) error {
	var with, without []change
	number := map[string]int{}
	for _, c := range open {
		if c.switched == "" {
			without = append(without, c)
			continue
		}
		with = append(with, c)
		number[c.key()] = len(with)
	}
	if err := trySwitched(with, number, sources, report); err != nil {
		return err
	}
	for _, c := range without {
		at := slices.IndexFunc(suites, func(s suite) bool { return s.dir == filepath.Dir(c.file) })
		r, err := suites[at].test(c)
		if err != nil {
			return err
		}
		if err := report(c, r); err != nil {
			return err
		}
	}
	return nil
}

func trySwitched(with []change, number map[string]int, sources map[string]*source, report func(change, result) error) error {
	if with == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t := &tests{dir: dir}
	if t.overlay, err = withSwitches(dir, sources, with, number); err != nil {
		return err
	}
	for _, s := range suites {
		if s.dir == ownOnly && sources[ownOnly] == nil {
			continue
		}
		if err := t.look(s.dir); err != nil {
			return err
		}
	}
	if t.left != nil {
		fmt.Printf("these fail without a change, and are left out: %s\n", strings.Join(t.left, ", "))
	}
	for _, c := range with {
		r := result{Place: c.place, Change: c.what, Outcome: "survived"}
		if by := t.notice(number[c.key()], filepath.Dir(c.file)); by != "" {
			r.Outcome, r.By = "noticed", "by "+by
		}
		if err := report(c, r); err != nil {
			return err
		}
	}
	return nil
}
