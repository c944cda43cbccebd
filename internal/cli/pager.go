package cli

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// defaultPager ends by itself where all fits the screen, and shows colours.
const (
	defaultPager   = "less"
	defaultLess    = "FRX"
	pagerVariable  = "PAGER"
	withoutPagerIs = "cat"
)

// paged runs fn with its standard output shown by a pager, as git does it, where a
// person looks at it: $PAGER, or less. Without a pager, and where a program reads,
// fn's output goes where it goes.
func (a *app) paged(fn func() error) error {
	words := strings.Fields(cmp.Or(a.env(pagerVariable), defaultPager))
	if a.json || !term.IsTerminal(int(a.stdout.Fd())) || a.env("TERM") == "dumb" || len(words) == 0 || words[0] == withoutPagerIs {
		return fn()
	}
	program, err := exec.LookPath(words[0]) //nolint:forbidigo // the operator's own pager, as any program finds it
	if err != nil {
		return fn()
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fn()
	}
	cmd := exec.Command(program, words[1:]...) //nolint:gosec // as the operator's shell would start it
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = read, a.stdout, a.stderr, a.pagerEnvironment()
	if err := cmd.Start(); err != nil {
		return errors.Join(fn(), read.Close(), write.Close())
	}
	_ = read.Close()
	signal.Ignore(os.Interrupt) // Ctrl-C is for the pager
	defer signal.Reset(os.Interrupt)
	screen, stdout := a.screen(), a.stdout
	a.fixed, a.stdout = &screen, write
	err = fn()
	a.fixed, a.stdout = nil, stdout
	_ = write.Close()
	_ = cmd.Wait() // how the person left the pager says nothing about the command
	if errors.Is(err, syscall.EPIPE) {
		return nil // left before the end
	}
	return err
}

// pagerEnvironment is the process's own, with the options that less needs to show
// colours and to end where all fits, unless the operator has options of their own.
func (a *app) pagerEnvironment() []string {
	environ := withoutTokens(a.environ())
	for name, value := range map[string]string{"LESS": defaultLess, "LESSCHARSET": "utf-8"} {
		if a.env(name) == "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// withoutTokens leaves out what a program that only shows text must not have.
func withoutTokens(environ []string) (clean []string) {
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "BRIDGE_") {
			clean = append(clean, variable)
		}
	}
	return clean
}
