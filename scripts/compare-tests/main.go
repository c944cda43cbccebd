// Command compare-tests measures how long the tests take, compared with those of an
// earlier commit. Later commits have more tests, so it runs the present tests a second
// time, limited to the cases that the earlier commit has too, by their names.
//
//	go run ./scripts/compare-tests --base COMMIT
//
// Both trees are built first. The durations include linking the test programs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// patternsFile names the environment variable with the path of the file that has the
// pattern of each package.
const patternsFile = "COMPARE_TESTS_PATTERNS"

func main() {
	if file := os.Getenv(patternsFile); file != "" {
		fatal(execTest(file, os.Args[1:]))
		return
	}
	base := flag.String("base", "", "the commit to compare with")
	parallel := flag.String("flags", "-timeout=20m -p=4 -parallel=6", "flags of go test for the present tests, as in the Makefile")
	flag.Parse()
	if *base == "" {
		fatal(errors.New("--base COMMIT is required"))
	}
	fatal(compare(context.Background(), *base, strings.Fields(*parallel)))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare-tests:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, base string, flags []string) (err error) {
	dir, err := os.MkdirTemp("", "compare-tests-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree := filepath.Join(dir, "tree")
	if err := git(ctx, "worktree", "add", "--quiet", "--detach", tree, base); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, git(ctx, "worktree", "remove", "--force", tree)) }()

	before, err := tests(ctx, tree, nil, nil)
	if err != nil {
		return err
	}
	now, err := tests(ctx, ".", flags, nil)
	if err != nil {
		return err
	}
	common := now.cases.namedIn(before.cases)
	file := filepath.Join(dir, "patterns.json")
	if err := writePatterns(file, patterns(common, now.cases)); err != nil {
		return err
	}
	again, err := tests(ctx, ".", slices.Concat(flags, []string{"-exec=" + self()}), now.longestFirst(common), patternsFile+"="+file)
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %6d cases %7.1f s\n", "all of "+base, before.cases.count(), before.took.Seconds())
	fmt.Printf("%-34s %6d cases %7.1f s\n", "all now", now.cases.count(), now.took.Seconds())
	fmt.Printf("%-34s %6d cases %7.1f s, ratio %.2f\n", "now, those of both", again.cases.count(), again.took.Seconds(), again.took.Seconds()/before.took.Seconds())
	return nil
}

func git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // G204: of constants and the user's commit
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// module is the path of the module, with which the names of its packages begin.
const module = "example.org/bridge"

// writePatterns writes the pattern of each package by the package's folder.
func writePatterns(path string, byPackage map[string]string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	byFolder := map[string]string{}
	for pkg, pattern := range byPackage {
		byFolder[filepath.Join(root, strings.TrimPrefix(pkg, module))] = pattern
	}
	content, err := json.Marshal(byFolder)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// self is the path of this program, which go test starts in place of each test program.
func self() string {
	path, err := os.Executable()
	fatal(err)
	return path
}

// execTest runs a test program, limited to the pattern of the package whose folder is
// the working directory.
func execTest(file string, args []string) error {
	content, err := os.ReadFile(file) //nolint:gosec // G703: this program wrote it
	if err != nil {
		return err
	}
	var byFolder map[string]string
	if err := json.Unmarshal(content, &byFolder); err != nil {
		return err
	}
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	pattern, ok := byFolder[folder]
	if !ok {
		return fmt.Errorf("no tests are known for %s", folder)
	}
	cmd := exec.Command(args[0], append(args[1:], "-test.run="+pattern)...) //nolint:gosec // G204: started by go test
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := os.Unsetenv(patternsFile); err != nil {
		return err
	}
	return cmd.Run()
}
