package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/sandbox/egress"
)

// A command that may reach a few domains has only the loopback interface of its
// own network namespace. The init listens there and passes the listening socket
// to the supervisor outside: a socket stays in the network in which it was
// created. All traffic out of the box therefore passes through the supervisor's
// proxy, which can be reached only on that one port.

// checkDomains refuses a list of domains if the command could reach other
// addresses as well.
func (s spec) checkDomains() error {
	switch {
	case len(s.Domains) == 0:
		return nil
	case s.Network:
		return fmt.Errorf("%w: a list of domains has no effect with the whole network", ErrSetup)
	case s.Backend != Bubblewrap:
		return fmt.Errorf("%w: a list of domains needs bubblewrap, which gives the command its own network; %s cannot enforce it", ErrUnavailable, s.Backend)
	}
	return nil
}

// proxy is the supervisor's side of the proxy.
type proxy struct {
	socket *os.File // the listener is received over it
	server egress.Proxy
	cancel context.CancelFunc
	done   chan struct{}
}

// newProxy returns the init's end of the socket.
func (b *box) newProxy() (inBox *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	b.proxy = &proxy{socket: os.NewFile(uintptr(pair[0]), "proxy"), server: egress.Proxy{Domains: b.spec.Domains}}
	return os.NewFile(uintptr(pair[1]), "proxy"), nil
}

func (p *proxy) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		if l, err := p.receive(); err == nil {
			p.server.Serve(ctx, l)
		}
	}()
}

// receive waits for the listener. It fails if the box ends before it has sent
// one.
func (p *proxy) receive() (net.Listener, error) {
	buffer, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(p.socket.Fd()), buffer, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.New("no listener was received")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("no listener was received")
	}
	file := os.NewFile(uintptr(fds[0]), "listener")
	defer func() { _ = file.Close() }()
	return net.FileListener(file)
}

// endProxy closes all connections and returns what was requested. The box must
// have ended, or never have been started.
func (b *box) endProxy() []string {
	p := b.proxy
	if p == nil {
		return nil
	}
	b.proxy = nil
	if p.cancel != nil {
		p.cancel()
		<-p.done
	}
	_ = p.socket.Close()
	return p.server.Seen()
}

// offerProxy creates the listener in the box, and sends it to the supervisor.
func offerProxy() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: paths.ProxyPort, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(fd, unix.SOMAXCONN); err != nil {
		return err
	}
	err = unix.Sendmsg(proxyFD, []byte{0}, unix.UnixRights(fd), nil, 0)
	return errors.Join(err, unix.Close(proxyFD))
}
