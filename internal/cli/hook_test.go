package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// bindings mode|chmod OCTAL checks or sets the permissions of the files in the
// script's folder of bindings; bindings count N says how many sessions of
// clients there are.
func bindings(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bindings mode|chmod|count value")
	}
	dir := filepath.Join(filepath.Dir(ts.Getenv("DB")), "bindings")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	ts.Check(err)
	if args[0] == "count" {
		if got := strconv.Itoa(len(files)); got != args[1] {
			ts.Fatalf("there are %s bindings, want %s", got, args[1])
		}
		return
	}
	if len(files) == 0 {
		ts.Fatalf("there are no bindings")
	}
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	for _, file := range files {
		if args[0] == "chmod" {
			ts.Check(os.Chmod(file, fs.FileMode(want)))
		}
		info, err := os.Lstat(file)
		ts.Check(err)
		if got := info.Mode(); got != fs.FileMode(want) {
			ts.Fatalf("a binding has mode %v, want %v", got, fs.FileMode(want))
		}
	}
}
