package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	maxConnections = 64
	maxHeader      = 16 << 10
	headerTime     = 10 * time.Second
	dialTime       = 20 * time.Second
)

// Proxy lets its clients reach some domains. If Resolve or Dial is nil, the
// machine's own resolver or dialer is used.
type Proxy struct {
	Domains Domains
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, address netip.AddrPort) (net.Conn, error)

	seen journal
}

// Serve accepts connections until the context ends, and returns when the last one
// is closed.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	slots := make(chan struct{}, maxConnections)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := l.Accept()
		if err != nil {
			return // closed, or out of descriptors: accept no more connections
		}
		running.Go(func() {
			defer func() { <-slots }()
			p.serve(ctx, conn)
		})
	}
}

// Seen returns one line for each address that was requested, with the outcome.
func (p *Proxy) Seen() []string { return p.seen.lines() }

func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	_ = client.SetReadDeadline(time.Now().Add(headerTime))
	limited := &io.LimitedReader{R: client, N: maxHeader}
	reader := bufio.NewReader(limited)
	request, err := http.ReadRequest(reader)
	if err != nil {
		answer(client, http.StatusBadRequest, "the request cannot be read")
		return
	}
	if request.Method != http.MethodConnect {
		p.seen.note(request.Host, "refused: only CONNECT is served, use https")
		answer(client, http.StatusMethodNotAllowed, "only CONNECT is served: use https")
		return
	}
	server, err := p.connect(ctx, request.Host)
	if err != nil {
		p.seen.note(request.Host, "refused: "+err.Error())
		answer(client, http.StatusForbidden, err.Error())
		return
	}
	defer func() { _ = server.Close() }()
	stopServer := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopServer()
	p.seen.note(request.Host, "connected")
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	_ = client.SetReadDeadline(time.Time{})
	limited.N = math.MaxInt64
	tunnel(client, reader, server)
}

// connect resolves an allowed name and connects to one of its addresses. It dials
// the address that it has checked, so that a second lookup cannot return another.
func (p *Proxy) connect(ctx context.Context, authority string) (net.Conn, error) {
	name, port, err := target(authority)
	if err != nil {
		return nil, err
	}
	if !p.Domains.allow(name, port) {
		return nil, errors.New("it is not in the list of domains that the operator allowed")
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	resolved, err := p.resolve(ctx, name)
	if err != nil {
		return nil, errors.New("its name cannot be resolved")
	}
	usable, err := reachable(resolved)
	if err != nil {
		return nil, err
	}
	for _, address := range usable {
		conn, err := p.dial(ctx, netip.AddrPortFrom(address, uint16(port))) // #nosec G115 -- a parsed port
		if err == nil {
			return conn, nil
		}
	}
	return nil, errors.New("no connection to it could be made")
}

func (p *Proxy) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if p.Resolve != nil {
		return p.Resolve(ctx, name)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name+".")
}

func (p *Proxy) dial(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	if p.Dial != nil {
		return p.Dial(ctx, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address.String())
}

// tunnel copies in both directions, and forwards the end of each.
func tunnel(client net.Conn, fromClient io.Reader, server net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { copyAndEnd(server, fromClient) })
	both.Go(func() { copyAndEnd(client, server) })
	both.Wait()
}

func copyAndEnd(to net.Conn, from io.Reader) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok {
		_ = to.Close()
		return
	}
	_ = half.CloseWrite()
}

func answer(client net.Conn, status int, why string) {
	text := "bridge: " + why + "\n"
	_, _ = fmt.Fprintf(client, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(text), text)
}

// maxSeen is how many different lines the journal keeps.
const maxSeen = 40

// journal counts the requests. The command chooses the names, so their number and
// length are limited.
type journal struct {
	mu    sync.Mutex
	order []string
	count map[string]int
	more  int
}

func (j *journal) note(authority, what string) {
	const longest = 100
	if len(authority) > longest {
		authority = authority[:longest] + "…"
	}
	line := strings.ToValidUTF8(authority, "?") + ": " + what
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.count[line] > 0:
	case len(j.order) == maxSeen:
		j.more++
		return
	default:
		j.order = append(j.order, line)
	}
	if j.count == nil {
		j.count = make(map[string]int)
	}
	j.count[line]++
}

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var lines []string
	for _, line := range j.order {
		if n := j.count[line]; n > 1 {
			line = fmt.Sprintf("%s (%d times)", line, n)
		}
		lines = append(lines, line)
	}
	if j.more > 0 {
		lines = append(lines, fmt.Sprintf("%d more requests", j.more))
	}
	return lines
}
