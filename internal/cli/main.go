// Package cli is the command line interface: flags, wiring, printing and exit codes. It
// is the only package that may import all the others.
//
//	main.go      Main, and the switch from error to message and exit code
//	root.go      the list of commands and the global flags
//	app.go       streams, clock, and what else commands share
//	store.go     finds the store and opens it for a command
//	config.go    the sources of a flag's value: flag, environment, file, default
//	cmd_*.go     one command per file: xOptions, newXCmd, runX
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sandbox"
	"example.org/bridge/internal/view"
)

// Main runs bridge with the process's arguments and streams, and returns the exit code.
// It prints the error, if there is one.
func Main() int {
	if code, ok := sandbox.Helper(os.Args); ok {
		return code
	}
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	a.typed = os.Args[1:]
	root := newRootCmd(a)
	root.SetArgs(a.typed)
	cmd, err := root.ExecuteContextC(context.Background())
	if isHook(cmd) {
		return hookExit(a, err)
	}
	code, text := explain(err)
	if text != "" {
		a.note(text)
	}
	return code
}

// note prints an error or a warning to standard error as one line, which is broken
// between words on a terminal.
func (a *app) note(text string) {
	width, _ := a.errorWidth()
	if width == 0 {
		_, _ = fmt.Fprintln(a.stderr, "bridge: "+text)
		return
	}
	_, _ = a.stderr.WriteString(wrapWords(text, "bridge: ", "  ", width))
}

// explain is the only place where an error becomes a message for a person and an exit
// code. The message says what was wrong and what to do next, on one line.
func explain(err error) (code int, text string) {
	var (
		usage  *usageError
		silent *exitError
		fault  *audit.Fault
		refuse *bridge.InvalidError
		left   *bridge.MovedEndsError
	)
	switch {
	case err == nil:
		return advice.ExitOK, ""
	case errors.As(err, &silent):
		return silent.code, ""
	case errors.As(err, &usage):
		return advice.ExitUsage, view.Line(err)
	case errors.Is(err, archive.ErrThere):
		return advice.ExitUsage, view.Line(err)
	case errors.As(err, &fault):
		return advice.ExitAuditBroken, "the audit log is not what bridge wrote: " + view.Line(err) +
			": keep a copy of the store, and find out who can write to it"
	case errors.Is(err, audit.ErrNoArchive), errors.Is(err, archive.ErrNotGiven):
		return advice.ExitAuditBroken, view.Line(err)
	case errors.As(err, &refuse):
		return advice.ExitUsage, view.Line(err)
	}
	row, known := advice.Of(err)
	if errors.As(err, &left) {
		row.Exit = advice.ExitLeft
	}
	if known {
		return row.Exit, strings.TrimSuffix(view.Line(err)+": "+row.Operator, ": ")
	}
	return advice.ExitFailure, view.Line(err)
}
