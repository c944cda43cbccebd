// Command compare-tests measures how long the tests take, compared with those of an
// earlier commit. Later commits have more tests, so it runs the present tests a second
// time, limited to the cases that the earlier commit has too, by their names.
//
//	go run ./scripts/compare-tests --base COMMIT
//
// It runs in the folder of the repository. Both trees are built first. The durations
// include linking the test programs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// patternsFile names the environment variable with the path of the file that has the
// pattern of each package.
const patternsFile = "COMPARE_TESTS_PATTERNS"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare-tests:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if file := os.Getenv(patternsFile); file != "" {
		return execTest(file, os.Args[1:])
	}
	base := flag.String("base", "", "the commit to compare with")
	baseFlags := flag.String("base-flags", "", "flags of go test for the commit's tests, as in its Makefile")
	nowFlags := flag.String("flags", "-timeout=20m -p=4 -parallel=6", "flags of go test for the present tests, as in the Makefile")
	flag.Parse()
	if *base == "" {
		return errors.New("--base COMMIT is required")
	}
	return compare(ctx, *base, strings.Fields(*baseFlags), strings.Fields(*nowFlags))
}

func compare(ctx context.Context, base string, baseFlags, nowFlags []string) (err error) {
	dir, err := os.MkdirTemp("", "compare-tests-")
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := git("worktree", "add", "--quiet", "--detach", tree, base); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, git("worktree", "remove", "--force", tree)) }()
	before, err := tests(ctx, tree, baseFlags, nil)
	if err != nil {
		return err
	}
	now, err := tests(ctx, ".", nowFlags, nil)
	if err != nil {
		return err
	}
	const line = "%-24s %6d cases %7.1f s\n"
	fmt.Printf(line, "all of "+base, before.cases.count(), before.took.Seconds())
	fmt.Printf(line, "all now", now.cases.count(), now.took.Seconds())
	again, err := now.only(ctx, filepath.Join(dir, "patterns.json"), now.cases.namedIn(before.cases), nowFlags)
	if err != nil {
		return err
	}
	fmt.Printf(line, "now, those of both", again.cases.count(), again.took.Seconds())
	fmt.Printf("%.2f of the time of all of %s\n", again.took.Seconds()/before.took.Seconds(), base)
	return nil
}

// only runs some of the cases of r, and returns an error if others ran, or fewer.
func (r result) only(ctx context.Context, file string, some cases, flags []string) (again result, err error) {
	if err := writePatterns(file, patterns(some, r.cases)); err != nil {
		return again, err
	}
	self, err := os.Executable()
	if err != nil {
		return again, err
	}
	flags = append(slices.Clone(flags), "-exec='"+self+"'")
	again, err = tests(ctx, ".", flags, r.longestFirst(some), patternsFile+"="+file)
	if n := again.cases.namedIn(some).count(); err == nil && (n != some.count() || again.cases.count() != n) {
		err = fmt.Errorf("of %d cases that both trees have, %d ran, and %d others", some.count(), n, again.cases.count()-n)
	}
	return again, err
}

// git also works after an interrupt, to remove what was made before it.
func git(args ...string) error {
	cmd := exec.Command("git", args...) //nolint:gosec // G204: constants and the user's commit
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
