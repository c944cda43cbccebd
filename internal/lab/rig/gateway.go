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

// Gateway is a `bridge gateway` on an address of this machine, which may be killed and started
// again. It is safe for concurrent use.
type Gateway struct {
	command func(address string) *exec.Cmd
	mu      sync.Mutex
	address string
	process *exec.Cmd
	log     strings.Builder
	reading chan struct{}
}

var listens = lazyregexp.New(`msg="the gateway listens" address=(\S+)`)

// StartGateway starts a gateway for the store of the place, which it makes if need be. It
// is killed when ctx ends. End it with Stop.
func (p *Place) StartGateway(ctx context.Context) (*Gateway, error) {
	if out, err := p.Command(ctx, "serve").CombinedOutput(); err != nil { // with nothing to read it ends
		return nil, fmt.Errorf("make the store: %w: %.500s", err, out)
	}
	g := &Gateway{address: net.JoinHostPort(cmp.Or(p.Host, "127.0.0.1"), "0"), command: func(address string) *exec.Cmd {
		return p.Command(ctx, "gateway", "--listen", address, "--log-format", "text", "--log-level", "info")
	}}
	return g, g.start()
}

// start returns when the gateway listens.
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

// Restart kills the gateway as kill -9 does, and starts it again at the same address.
func (g *Gateway) Restart() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.process.Process.Kill(); err != nil {
		return err
	}
	<-g.reading
	_ = g.process.Wait() // which says that it was killed
	return g.start()
}

// Stop tells the gateway to end, waits for that, and returns what it logged in all.
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

// Behind makes a machine of its own that has no store and connects to the gateway: its
// home, settings and files are apart from those of the place and of other machines. What
// enter names is put in front of each of its commands; it must become them by exec, so that
// a signal reaches them.
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
