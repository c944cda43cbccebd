package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// ProgramTimeout is how long a program may run by default.
const ProgramTimeout = 30 * time.Second

// Program runs a program chosen by the operator for each event. The event is passed
// as JSON on standard input. There is no shell and there are no arguments, so
// nothing that an agent wrote can become a command.
type Program struct {
	// Path is the program. Required.
	Path string
	// Environ is its environment. Secrets of the bridge are removed from it.
	Environ []string
	// Output gets what it prints.
	Output io.Writer
	// Timeout is how long the program may run; zero means ProgramTimeout.
	Timeout time.Duration
}

// secretVariables are not passed on to programs.
var secretVariables = []string{"BRIDGE_TOKEN", "BRIDGE_WATCHDOG_WEBHOOK_SECRET"}

// Send runs the program once. If it exceeds the timeout, or ctx ends, it is
// killed together with all processes that it has started.
func (p Program) Send(ctx context.Context, event []byte) error {
	timeout := p.Timeout
	if timeout == 0 {
		timeout = ProgramTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Path) //nolint:gosec // the operator's own program, without arguments
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(event), '\n'))
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.Env = withoutSecrets(p.Environ)
	cmd.WaitDelay = time.Second
	killGroup(cmd)
	err := cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the program took longer than %s and was killed", timeout)
	}
	if err != nil {
		return fmt.Errorf("run the program: %w", err)
	}
	return nil
}

func withoutSecrets(environ []string) []string {
	clean := make([]string, 0, len(environ))
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		secret := false
		for _, s := range secretVariables {
			secret = secret || strings.EqualFold(name, s)
		}
		if !secret {
			clean = append(clean, variable)
		}
	}
	return clean
}
