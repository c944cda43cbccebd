package main

import (
	"bytes"
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
	program string        // the built tests
	Dir     string        `json:"dir"` // the folder in which they run
	Run     string        `json:"run"` // the value of -test.run
	Took    time.Duration `json:"took"`
	Reaches map[int]bool  `json:"reaches,omitempty"`
	Fails   bool          `json:"fails,omitempty"` // without a change
}

// long is the duration from which a test is reported, since it may belong in
// slow.
const long = 8 * time.Second

// ownOnly is the package whose tests are only used for its own changes: they start a
// server, and another store's tests check the same requirements faster.
const ownOnly = "internal/postgres"

// tests holds the tests of all packages, built with the switches.
type tests struct {
	dir, overlay string
	until        time.Time      // zero for no limit
	number       map[string]int // of the changes with a switch, by their keys
	units        []*unit
	left         []string // fails without a change
	passed       map[pass]bool
	looked       map[string]bool // packages whose tests are in units
}

// errTime ends a run whose time is up. Another run continues from there.
var errTime = errors.New("the time is up: run the command again to continue")

func (t *tests) timeIsUp() bool { return !t.until.IsZero() && time.Now().After(t.until) }

// build builds the tests of a package.
func (t *tests) build(dir string) (program string, err error) {
	program = filepath.Join(t.dir, filepath.Base(dir)+".test")
	if text, err := goTool("test", "-c", "-vet=off", "-overlay", t.overlay, "-o", program, "./"+dir); err != nil {
		return "", fmt.Errorf("go test -c: %w: %s", err, text)
	}
	return program, nil
}

// probe runs each test of a package once, without a change, and records which changes
// it reaches. What an earlier run recorded in the same folder is not run again.
func (t *tests) probe(dir string) error {
	t.looked[dir] = true
	program, err := t.build(dir)
	if err != nil {
		return err
	}
	notes := filepath.Join(t.dir, filepath.Base(dir)+".tests.jsonl")
	known, err := lines[unit](notes)
	if err != nil {
		return err
	}
	names, err := t.names(program, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if t.timeIsUp() {
			return errTime
		}
		u := &unit{Dir: dir, Run: name}
		if i := slices.IndexFunc(known, func(k unit) bool { return k.Run == name }); i >= 0 {
			u = &known[i]
		}
		u.program = program
		if u.Took == 0 {
			if err := u.tryOnce(filepath.Join(t.dir, "trace")); err != nil {
				return err
			}
			if err := keep(notes, u); err != nil {
				return err
			}
		}
		if u.Fails {
			t.left = append(t.left, filepath.Base(dir)+" "+name)
			continue
		}
		t.units = append(t.units, u)
	}
	return nil
}

// tryOnce runs the unit without a change.
func (u *unit) tryOnce(trace string) (err error) {
	_ = os.Remove(trace)
	start := time.Now()
	_, failed := u.test(limit, "MUTANT_TRACE="+trace)
	u.Took, u.Fails = time.Since(start), failed != nil
	if u.Took > long {
		fmt.Printf("took %s: %s %s\n", u.Took.Round(time.Second), u.Dir, u.Run)
	}
	u.Reaches, err = reached(trace)
	return err
}

// names lists the tests of a package, and the groups of tests that every store has to
// pass.
func (t *tests) names(program, dir string) (names []string, err error) {
	list, err := (&unit{program: program, Dir: dir}).command("-test.list", "^Test").Output()
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
			groups, err := t.groups(program, dir)
			if err != nil {
				return nil, err
			}
			names = append(names, groups...)
		}
	}
	return names, nil
}

var groupName = regexp.MustCompile(`(?m)^=== RUN +TestStore/([^/\s]+)`)

func (t *tests) groups(program, dir string) (names []string, err error) {
	notes := filepath.Join(t.dir, filepath.Base(dir)+".groups.jsonl")
	if names, err = lines[string](notes); err != nil || names != nil {
		return names, err
	}
	text, err := (&unit{program: program, Dir: dir, Run: "^TestStore$"}).test(3*limit, "-v")
	if err != nil {
		return nil, fmt.Errorf("TestStore of %s fails without a change: %w", dir, err)
	}
	for _, found := range groupName.FindAllSubmatch(text, -1) {
		names = append(names, "^TestStore$/^"+string(found[1])+"$")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if err := keep(notes, name); err != nil {
			return nil, err
		}
	}
	return names, nil
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

// test runs the unit. more holds environment variables, and "-v".
func (u *unit) test(limit time.Duration, more ...string) ([]byte, error) {
	args := []string{"-test.short", "-test.failfast", "-test.run", u.Run, "-test.timeout", limit.String()}
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
	cmd.Dir = u.Dir
	cmd.WaitDelay = time.Second // a process left over by a test may keep its output open
	return cmd
}

// notice runs the tests that reach a change with it, and returns the first that fails
// twice, or "". A test that fails only once does not count, because tests may miss a
// deadline on a busy machine. Tests that passed in an earlier run are not run again.
func (t *tests) notice(c change, wanted func(*unit) bool) (by string, err error) {
	n := t.number[c.key()]
	var units []*unit
	for _, u := range t.units {
		if u.Reaches[n] && wanted(u) && !t.passed[pass{c.key(), u.Dir, u.Run}] {
			units = append(units, u)
		}
	}
	slices.SortStableFunc(units, func(a, b *unit) int { return cmp.Compare(a.Took, b.Took) })
	for _, b := range batches(units) {
		if t.timeIsUp() {
			return "", errTime
		}
		if by := b.notice("MUTANT=" + strconv.Itoa(n)); by != "" {
			return by, nil
		}
		for _, u := range b {
			p := pass{c.key(), u.Dir, u.Run}
			t.passed[p] = true
			if err := keep(t.passes(), p); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

func (u *unit) notice(mutant string) (by string) {
	limit := 30*time.Second + 20*u.Took // it was quick without the change
	text, err := u.test(limit, mutant)
	if err == nil {
		return ""
	}
	// A test that takes more than twenty times as long counts as hanging.
	if endless := bytes.Contains(text, []byte("panic: test timed out")); !endless {
		if _, err := u.test(limit, mutant); err == nil {
			return ""
		}
	}
	name := u.Run
	if found := failure.FindSubmatch(text); found != nil {
		name = string(found[1])
	}
	return filepath.Base(u.Dir) + " " + name
}

// tryAll tries the changes that are not done yet. Those with a switch are compiled into a
// single build: each is tried with the tests of its own package first, and with those of
// other packages if these do not notice it. Those without a switch are tried
// individually.
func (t *tests) tryAll(chosen []change, done func(change) bool, sources map[string]*source, report func(change, result) error) error {
	var with, without []change
	t.number, t.passed, t.looked = map[string]int{}, map[pass]bool{}, map[string]bool{}
	passed, err := lines[pass](t.passes())
	if err != nil {
		return err
	}
	for _, p := range passed {
		t.passed[p] = true
	}
	for _, c := range chosen {
		if c.switched == "" {
			without = append(without, c)
			continue
		}
		with = append(with, c)
		t.number[c.key()] = len(with)
	}
	if !allDone(with, done) {
		overlay, err := withSwitches(t.dir, sources, with, t.number)
		if err != nil {
			return err
		}
		t.overlay = overlay
		if err := t.tryOwn(with, done, report); err != nil {
			return err
		}
	}
	if !allDone(with, done) {
		if err := t.probeOthers(sources); err != nil {
			return err
		}
	}
	others := func(dir string, u *unit) bool { return u.Dir != dir }
	return t.tryEach(slices.Concat(with, without), done, func(c change) error {
		r, err := t.try(c, others)
		if err != nil {
			return err
		}
		return report(c, r)
	})
}

// tryOwn reports the changes that the tests of their own packages notice.
func (t *tests) tryOwn(with []change, done func(change) bool, report func(change, result) error) error {
	for _, s := range suites {
		here := slices.DeleteFunc(slices.Clone(with), func(c change) bool { return filepath.Dir(c.file) != s.dir })
		if allDone(here, done) {
			continue
		}
		if err := t.probe(s.dir); err != nil {
			return err
		}
		own := func(dir string, u *unit) bool { return u.Dir == dir }
		err := t.tryEach(here, done, func(c change) error {
			r, err := t.try(c, own)
			if err != nil || r.Outcome != "noticed" {
				return err
			}
			return report(c, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// probeOthers runs probe for all other packages, for changes that the tests of their
// own package did not notice.
func (t *tests) probeOthers(sources map[string]*source) error {
	for _, s := range suites {
		if t.looked[s.dir] || s.dir == ownOnly && sources[ownOnly] == nil {
			continue
		}
		if err := t.probe(s.dir); err != nil {
			return err
		}
	}
	if t.left != nil {
		fmt.Printf("these fail without a change, and are left out: %s\n", strings.Join(t.left, ", "))
	}
	return nil
}

func (t *tests) tryEach(changes []change, done func(change) bool, try func(change) error) error {
	for _, c := range changes {
		if done(c) {
			continue
		}
		if t.timeIsUp() {
			return errTime
		}
		if err := try(c); err != nil {
			return err
		}
	}
	return nil
}

func allDone(changes []change, done func(change) bool) bool {
	return !slices.ContainsFunc(changes, func(c change) bool { return !done(c) })
}

// try tries one change with those of the wanted tests that reach it.
func (t *tests) try(c change, wanted func(dir string, u *unit) bool) (result, error) {
	dir := filepath.Dir(c.file)
	if c.switched == "" {
		at := slices.IndexFunc(suites, func(s suite) bool { return s.dir == dir })
		return suites[at].test(c)
	}
	r := result{Place: c.place, Change: c.what, Outcome: "survived"}
	by, err := t.notice(c, func(u *unit) bool { return wanted(dir, u) && (u.Dir == dir || u.Dir != ownOnly) })
	if by != "" {
		r.Outcome, r.By = "noticed", "by "+by
	}
	return r, err
}
