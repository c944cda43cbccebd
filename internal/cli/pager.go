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

// defaultPager exits by itself if everything fits on the screen, and shows colours.
const (
	defaultPager   = "less"
	defaultLess    = "FRX"
	pagerVariable  = "PAGER"
	withoutPagerIs = "cat"
)

// paged runs fn with its standard output shown in a pager, $PAGER or less, as git does,
// if a person looks at it. Without a pager, or if a program reads the output, fn writes
// to standard output directly.
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
	signal.Ignore(os.Interrupt) // Ctrl-C goes to the pager
	defer signal.Reset(os.Interrupt)
	screen, stdout := a.screen(), a.stdout
	a.fixed, a.stdout = &screen, write
	err = fn()
	a.fixed, a.stdout = nil, stdout
	_ = write.Close()
	_ = cmd.Wait() // how the pager was left says nothing about the command
	if errors.Is(err, syscall.EPIPE) {
		return nil // the pager was left early
	}
	return err
}

// pagerEnvironment returns the process's environment with the options that less needs
// to show colours and to exit if everything fits, unless the operator has set options.
func (a *app) pagerEnvironment() []string {
	environ := withoutTokens(a.environ())
	for name, value := range map[string]string{"LESS": defaultLess, "LESSCHARSET": "utf-8"} {
		if a.env(name) == "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// withoutTokens removes credentials, which a program that only shows text must not
// have.
func withoutTokens(environ []string) (clean []string) {
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "BRIDGE_") {
			clean = append(clean, variable)
		}
	}
	return clean
}
