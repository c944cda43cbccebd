package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// test builds the program with one change and runs the tests that are to notice it.
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
	if text, err := goTool("build", "-overlay", overlayFile, "./"+s.dir); err != nil {
		return r, fmt.Errorf("go build: %w: %s", err, text)
	}
	for _, name := range s.tests {
		name, run, _ := strings.Cut(name, ":")
		by, err := notices(name, run, overlayFile)
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

// notices runs a package's tests with a change and returns which of them failed, or
// "". A test that fails once and not again does not count: on a busy machine some
// miss a deadline.
func notices(name, run, overlayFile string) (by string, err error) {
	args := []string{"test", "-overlay", overlayFile, "-short", "-vet=off", "-timeout", limit.String()}
	var unsteady []string
	for {
		text, err := goTool(append(args, "-failfast", "-run", run, "-skip", strings.Join(append(slices.Clone(unsteady), slow), "|"), "./internal/"+name)...)
		if err == nil {
			return "", nil
		}
		found := failure.FindSubmatch(text)
		if found == nil {
			return name, nil // a panic, or no end: nothing to do with deadlines of its own
		}
		test := "^" + string(bytes.Split(found[1], []byte("/"))[0]) + "$"
		again := test
		if strings.Contains(run, "/") { // a part of a test, which may be one of many
			again = run
		}
		if _, err := goTool(append(args, "-run", again, "./internal/"+name)...); err != nil {
			return name + " " + string(found[1]), nil //nolint:nilerr // that it fails is what is asked
		}
		if slices.Contains(unsteady, test) {
			return "", fmt.Errorf("%s fails though it is left out", test)
		}
		unsteady = append(unsteady, test)
	}
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func goTool(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	return exec.CommandContext(ctx, "go", args...).CombinedOutput() //nolint:gosec // G204: the Go tool, with our own arguments
}
