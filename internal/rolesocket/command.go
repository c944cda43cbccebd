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

// endsWithin is how long a command may take to end after it was interrupted.
const endsWithin = 5 * time.Second

// Command is a program that runs commands for other users.
type Command struct {
	Program string   // its path
	Name    string   // its name, passed as the first argument
	Environ []string // its entire environment
	// EndsWithin is how long a command may take to end after it was interrupted, and
	// how long processes that it has started may keep its output open. After that,
	// it is killed. 0 means five seconds.
	EndsWithin time.Duration
}

// Run runs a command until it ends. If ctx ends first, the command is interrupted, and
// killed if it does not end in time. Run returns the exit code, which is 1 for a killed
// command, and an error if the command could not be run.
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
