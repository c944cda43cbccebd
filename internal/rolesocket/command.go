package rolesocket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// endsWithin is how long a command that is told to end may take.
const endsWithin = 5 * time.Second

// Command is a program that runs commands for others.
type Command struct {
	Program string   // its path
	Name    string   // what it is called by, its first argument
	Environ []string // its environment, all of it
	// EndsWithin is how long a command that is told to end may take, and what it has
	// started may keep its output open; then it is killed. 0 means five seconds.
	EndsWithin time.Duration
}

// Run runs a command until it ends, or until ctx does: then it is interrupted, and killed
// where it does not end in time. It returns the exit code, which is 1 for one that was killed,
// and an error where the command could not be run.
func (c Command) Run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int, err error) {
	cmd := exec.CommandContext(ctx, c.Program, args...) //nolint:gosec // the caller's own program; who asks chooses only arguments that Allow has let pass
	cmd.Args[0] = c.Name
	cmd.Env = c.Environ
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = cmp.Or(c.EndsWithin, endsWithin)
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return cmp.Or(max(exit.ExitCode(), 0), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
