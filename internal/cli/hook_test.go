package cli_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/cli"
)

// bindings mode|chmod OCTAL checks or sets the permissions of the files in the script's
// folder of bindings; bindings count N checks how many sessions of clients there are;
// bindings waiters N waits until N processes wait.
func bindings(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bindings mode|chmod|count|waiters value")
	}
	dir := filepath.Join(filepath.Dir(ts.Getenv("DB")), "bindings")
	if args[0] == "waiters" {
		awaitWaiters(ts, dir, args[1])
		return
	}
	files, err := fs.Glob(os.DirFS(dir), "*.json")
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
	for _, name := range files {
		file := filepath.Join(dir, name)
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

func awaitWaiters(ts *testscript.TestScript, dir, want string) {
	there := func() bool {
		files, err := fs.Glob(os.DirFS(dir), "*.wait")
		ts.Check(err)
		return strconv.Itoa(len(files)) == want
	}
	if !bridgetest.Polled(there) {
		ts.Fatalf("there were never %s waiters", want)
	}
}

// holderMain is the program holder. Until it is killed, it keeps others from writing to
// a database or, with the argument "exclusive", also from reading it, like a process
// that hangs at the worst moment.
func holderMain() int {
	db, err := sql.Open("sqlite", os.Args[1])
	if err != nil {
		return fatal(err)
	}
	db.SetMaxOpenConns(1)
	mode := "NORMAL"
	if os.Args[2] == "exclusive" {
		mode = "EXCLUSIVE"
	}
	for _, statement := range []string{
		"PRAGMA busy_timeout = 10000", "PRAGMA locking_mode = " + mode, "BEGIN IMMEDIATE",
		"UPDATE conversations SET expires_at = expires_at",
	} {
		if _, err := db.Exec(statement); err != nil {
			return fatal(err)
		}
	}
	fmt.Println("held")
	killed := make(chan os.Signal, 1)
	signal.Notify(killed, os.Interrupt)
	<-killed
	return 0
}

func TestServesSessions(t *testing.T) {
	for line, want := range map[string]bool{
		"node /opt/bin/gemini --experimental-acp": true,
		"gemini --acp --debug":                    true,
		"gemini -p acp":                           false,
		"claude --resume":                         false,
	} {
		if got := cli.ServesSessions(strings.Fields(line)); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
}

func TestIsShell(t *testing.T) {
	for program, want := range map[string]bool{"/bin/sh": true, "-zsh": true, "bash": true, "claude": false, "/opt/bash/node": false} {
		if got := cli.IsShell(program); got != want {
			t.Errorf("%s: %t", program, got)
		}
	}
}

func TestWakes(t *testing.T) {
	for _, c := range []struct {
		line, attended string
		background     bool
		want           bool
	}{
		{line: "claude", attended: "1", want: true},
		{line: "claude --resume", want: true},
		{want: true}, // started by hand
		{line: "claude -p hello", attended: "0"},
		{line: "claude -p hello"},
		{line: "claude --print", attended: "1"},
		{line: "claude", attended: "0"},
		{line: "claude -p --input-format stream-json --output-format stream-json", attended: "0"},
		{line: "claude --input-format=stream-json", attended: "1"},
		{line: "claude bg-spare --bg-spare /tmp/x.sock", attended: "0", want: true},
		{line: "claude --resume x", attended: "0", background: true, want: true},
		{line: "claude -p hello", attended: "0", background: true}, // in a shell of such a session
	} {
		if got := cli.Wakes(strings.Fields(c.line), c.attended, c.background); got != c.want {
			t.Errorf("%q, %q: %t", c.line, c.attended, got)
		}
	}
}
