// Package cli is the operator's door: flags, wiring, printing and exit codes.
// It is the only package that sees all the others.
//
//	main.go      Main, and the one switch from error to message and exit code
//	root.go      the list of commands and the global flags
//	app.go       streams, clock, what commands share
//	store.go     where the store is; opens it for a command that asks
//	config.go    where a flag's value comes from: flag, environment, file, default
//	cmd_*.go     one command a file: xOptions, newXCmd, runX
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/fleet"
	"example.org/bridge/internal/sandbox"
)

// Main runs bridge with the process's arguments and streams, and returns the
// exit code. It prints the error, if there is one.
func Main() int {
	if code, ok := sandbox.Helper(os.Args); ok {
		return code
	}
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	root := newRootCmd(a)
	root.SetArgs(os.Args[1:])
	cmd, err := root.ExecuteContextC(context.Background())
	if isHook(cmd) {
		return hookExit(a, err)
	}
	code, text := explain(err)
	if text != "" {
		_, _ = fmt.Fprintln(a.stderr, "bridge: "+text)
	}
	return code
}

// explain is the one place where an error becomes words for a person and an
// exit code. The words say what was wrong and what to do next, on one line.
func explain(err error) (code int, text string) {
	var (
		usage  *usageError
		silent *exitError
		fault  *audit.Fault
		refuse *bridge.InvalidError
	)
	switch {
	case err == nil:
		return exitOK, ""
	case errors.As(err, &silent):
		return silent.code, ""
	case errors.As(err, &usage):
		return exitUsage, oneLine(err)
	case errors.As(err, &fault):
		return exitAuditBroken, "the audit log is not what bridge wrote: " + oneLine(err) +
			": keep a copy of the store, and find out who can write to it"
	case errors.As(err, &refuse):
		return exitUsage, oneLine(err)
	}
	for _, e := range explanations {
		if errors.Is(err, e.is) {
			return e.code, strings.TrimSuffix(oneLine(err)+": "+e.advice, ": ")
		}
	}
	return exitFailure, oneLine(err)
}

// explanations say what to do about the errors of the domain. Where the advice
// is empty the error gives it.
var explanations = []struct {
	is     error
	code   int
	advice string
}{
	{bridge.ErrStoreMissing, exitNoStore, "the first `bridge serve` makes it; name another with --db"},
	{bridge.ErrNotFound, exitNotFound, "`bridge list` shows those that there are"},
	{commands.ErrNoRequest, exitNotFound, "`bridge yolo status --all` shows those that there are"},
	{commands.ErrNoGrant, exitNotFound, "`bridge yolo status` shows those that are open"},
	{commands.ErrNoSnapshot, exitNotFound, "`bridge yolo status --all` shows the commands that were run"},
	{commands.ErrDecided, exitNotFound, "`bridge yolo status` shows those that wait"},
	{commands.ErrNotConfirmed, exitNotConfirmed, ""},
	{commands.ErrNoSandbox, exitFailure, "install bubblewrap, or open the conversation with --unsandboxed if you trust what will run"},
	{fleet.ErrExpired, exitExpired, "its orchestrator can create another"},
	{bridge.ErrUnauthorized, exitUnauthorized, "`bridge tokens` prints the tokens of a conversation"},
	{bridge.ErrNoTask, exitNotFound, "`bridge tasks --all` shows those that there are"},
	{bridge.ErrStoreForeign, exitRefused, "it was left as it is; name another file with --db"},
	{bridge.ErrStoreNewer, exitRefused, ""},
	{bridge.ErrStorePermissions, exitRefused, ""},
	{bridge.ErrStoreKey, exitRefused, ""},
	{binding.ErrUnsafe, exitRefused, ""},
	{auth.ErrNoKey, exitRefused, "put back the key that was made with the store; without it no token can be checked"},
	{auth.ErrBadKey, exitRefused, "put back the key that was made with the store"},
	{bridge.ErrStoreFull, exitFailure, "nothing was stored; make room and try again"},
	{bridge.ErrStoreReadOnly, exitFailure, "make the store and its folder writable for yourself"},
	{bridge.ErrStoreBusy, exitFailure, "try again"},
	{bridge.ErrStoreGone, exitFailure, "start the command again; stop all bridge processes before you move or restore a store"},
	{bridge.ErrStoreDamaged, exitFailure, "stop all bridge processes, keep a copy, and run `bridge doctor`"},
}

// oneLine is the text of an error on one line, safe for a terminal.
func oneLine(err error) string {
	return bridge.CleanLine(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}
