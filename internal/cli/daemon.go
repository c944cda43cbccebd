package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"example.org/bridge/internal/fleet"
)

// daemon returns a context that ends when the process is told to. A second signal ends
// the process immediately.
func daemon(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// announce tells a person at the terminal what a long-running command does, and how to
// end it. It prints nothing for programs and journals.
func (a *app) announce(format string, args ...any) {
	if a.attended() {
		a.note(fmt.Sprintf(format, args...) + "; press Ctrl-C to end")
	}
}

// attended reports whether standard error is a terminal, so that a person reads it.
func (a *app) attended() bool { return term.IsTerminal(int(a.stderr.Fd())) }

// ended logs that a long-running command was ended by a signal. This is for journals; a
// person at a terminal knows that they pressed Ctrl-C.
func (a *app) ended(ctx context.Context, err error) error {
	if err == nil && ctx.Err() != nil && !a.attended() {
		a.log().Info("ended by a signal")
	}
	return err
}

// minInterval keeps a mistyped interval from keeping the machine busy.
const minInterval = 100 * time.Millisecond

func checkInterval(flag string, d time.Duration) error {
	if d < minInterval {
		return usagef("--%s must be at least %s", flag, minInterval)
	}
	return nil
}

func silentAfterFlag(fs *pflag.FlagSet, dest *time.Duration) {
	ageFlag(fs, dest, "silent-after", "how old a worker's last heartbeat may be before it counts as silent")
}

func execFlag(fs *pflag.FlagSet, dest *string, what string) {
	textFlag(fs, dest, kindPath, "exec", "a program to run for "+what+", with JSON on its standard input; no shell, no arguments")
}

// operatorProgram returns the outlet for --exec.
func (a *app) operatorProgram(path string) (fleet.Program, error) {
	found, err := exec.LookPath(path) //nolint:forbidigo // the program that the operator named, as a shell would find it
	if err != nil {
		return fleet.Program{}, usagef("--exec must be a program, by its path or a name in PATH: %s", reason(err))
	}
	return fleet.Program{Path: found, Environ: a.environ(), Output: a.stderr}, nil
}

// reason returns an operating system error without the path.
func reason(err error) string {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err.Error()
		}
		err = inner.Unwrap()
	}
}

// webhook returns the outlet for --webhook.
func (a *app) webhook(address, secretFile string) (*fleet.Webhook, error) {
	secret := []byte(a.env("BRIDGE_WATCHDOG_WEBHOOK_SECRET"))
	if secretFile != "" {
		text, err := readSecretFile(secretFile)
		if err != nil {
			return nil, err
		}
		secret = text
	}
	hook, err := fleet.NewWebhook(address, secret, a.now)
	if err != nil {
		return nil, usagef("--webhook: %v: set BRIDGE_WATCHDOG_WEBHOOK_SECRET, or use --webhook-secret-file", err)
	}
	return hook, nil
}

// printLine writes one line of a long-running command.
func (a *app) printLine(text string) error {
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}
