package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// test builds the program with one change and runs the tests that should notice it.
func (s suite) test(c change) (result, error) {
	r := result{Place: c.place, Change: c.what, Outcome: "survived"}
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o := newOverlay(dir)
	if err := o.put(c.file, c.text); err != nil {
		return r, err
	}
	overlayFile, err := o.write()
	if err != nil {
		return r, err
	}
	for _, name := range s.tests {
		name, run, _ := strings.Cut(name, ":")
		by, err := notices(name, run, overlayFile, dir)
		if err != nil {
			return r, err
		}
		if by != "" {
			r.Outcome, r.By = "noticed", by
			return r, nil
		}
	}
	return r, nil
}

// notices builds a package's tests with a change, runs them, and returns which of them
// failed, or "". A test that fails only once does not count, because tests may miss a
// deadline on a busy machine.
func notices(name, run, overlayFile, dir string) (by string, err error) {
	program := filepath.Join(dir, "package.test")
	if text, err := goTool("test", "-c", "-overlay", overlayFile, "-vet=off", "-o", program, "./internal/"+name); err != nil {
		return "", fmt.Errorf("go test -c: %w: %s", err, text)
	}
	u := unit{program: program, Dir: "internal/" + name}
	var unsteady []string
	for {
		text, err := u.only(run, append(slices.Clone(unsteady), slow)...)
		if err == nil {
			return "", nil
		}
		found := failure.FindSubmatch(text)
		if found == nil {
			return name, nil // a panic or a timeout, which no deadline within a test explains
		}
		test := "^" + string(bytes.Split(found[1], []byte("/"))[0]) + "$"
		again := test
		if strings.Contains(run, "/") { // a subtest, of which there may be many
			again = run
		}
		if _, err := u.only(again); err != nil {
			return name + " " + string(found[1]), nil //nolint:nilerr // that it fails is what is asked
		}
		if slices.Contains(unsteady, test) {
			return "", fmt.Errorf("%s fails although it is excluded", test)
		}
		unsteady = append(unsteady, test)
	}
}

// only runs exactly the tests whose names match one pattern.
func (u *unit) only(run string, but ...string) ([]byte, error) {
	args := []string{"-test.short", "-test.failfast", "-test.run", run, "-test.timeout", limit.String()}
	if len(but) > 0 {
		args = append(args, "-test.skip", strings.Join(but, "|"))
	}
	return u.command(args...).CombinedOutput()
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func goTool(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	return exec.CommandContext(ctx, "go", args...).CombinedOutput() //nolint:gosec // G204: the Go tool, with our own arguments
}
