package rig

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"example.org/bridge/internal/lazyregexp"
)

// Gateway is a `bridge gateway` on an address of this machine, which can be killed and
// restarted. It is safe for concurrent use.
type Gateway struct {
	command func(address string) *exec.Cmd
	mu      sync.Mutex
	address string
	process *exec.Cmd
	log     strings.Builder
	reading chan struct{}
}

var listens = lazyregexp.New(`msg="the gateway listens" address=(\S+)`)

// StartGateway starts a gateway for the store of the place, creating the store if needed.
// It is killed when ctx ends. End it with Stop.
func (p *Place) StartGateway(ctx context.Context) (*Gateway, error) {
	if out, err := p.Command(ctx, "serve").CombinedOutput(); err != nil { // without input it exits after creating the store
		return nil, fmt.Errorf("create the store: %w: %.500s", err, out)
	}
	g := &Gateway{address: net.JoinHostPort(cmp.Or(p.Host, "127.0.0.1"), "0"), command: func(address string) *exec.Cmd {
		return p.Command(ctx, "gateway", "--listen", address, "--log-format", "text", "--log-level", "info")
	}}
	return g, g.start()
}

// start returns when the gateway is listening.
func (g *Gateway) start() error {
	g.process = g.command(g.address)
	out, err := g.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := g.process.Start(); err != nil {
		return fmt.Errorf("start bridge gateway: %w", err)
	}
	g.reading = make(chan struct{})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		g.log.WriteString(lines.Text() + "\n")
		found := listens().FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		g.address = found[1]
		go func() {
			defer close(g.reading)
			for lines.Scan() {
				g.log.WriteString(lines.Text() + "\n")
			}
		}()
		return nil
	}
	close(g.reading)
	return fmt.Errorf("bridge gateway: %w: %.500s", errors.Join(g.process.Wait(), lines.Err()), g.log.String())
}

// Restart kills the gateway like kill -9, and starts it again at the same address.
func (g *Gateway) Restart() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.process.Process.Kill(); err != nil {
		return err
	}
	<-g.reading
	_ = g.process.Wait() // it reports that it was killed
	return g.start()
}

// Stop tells the gateway to end, waits until it has ended, and returns everything it has
// logged.
func (g *Gateway) Stop() (log string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if EndsDaemons() {
		err = g.process.Process.Signal(syscall.SIGTERM)
	} else {
		err = g.process.Process.Kill()
	}
	<-g.reading
	if ended := g.process.Wait(); EndsDaemons() {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return g.log.String(), fmt.Errorf("bridge gateway: %w: %.500s", err, g.log.String())
	}
	return g.log.String(), nil
}

// Behind creates a machine without a store that connects to the gateway. Its home, settings
// and files are separate from those of the place and of other machines. The command enter
// is put in front of each of its commands; it must replace itself by the command (exec), so
// that signals reach the command.
func (p *Place) Behind(ctx context.Context, g *Gateway, name string, enter ...string) (*Place, error) {
	dir := filepath.Join(p.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	g.mu.Lock()
	add := p.Command(ctx, "access", "add", name, "--gateway", g.address)
	g.mu.Unlock()
	var said strings.Builder
	add.Stderr = &said
	join, err := add.Output()
	if err != nil {
		return nil, fmt.Errorf("bridge access add: %w: %.500s", err, said.String())
	}
	machine := &Place{program: p.program, Dir: dir, settings: p.settings, enter: enter}
	connect := machine.Command(ctx, "connect")
	connect.Stdin = strings.NewReader(string(join))
	if out, err := connect.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("bridge connect: %w: %.500s", err, out)
	}
	return machine, nil
}
