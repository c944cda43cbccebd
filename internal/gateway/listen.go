package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
)

// ErrPlain refuses plain HTTP on an address that other machines can reach.
var ErrPlain = errors.New("plain HTTP is for loopback addresses only")

// isLoopback reports whether only this machine reaches an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// limited is a listener that closes at once what is over a number of connections, so
// that those which are there go on.
type limited struct {
	net.Listener
	free chan struct{}
}

func limit(l net.Listener, most int) net.Listener {
	return &limited{l, make(chan struct{}, most)}
}

// Accept returns the next connection that there is room for.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &counted{Conn: c, release: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = c.Close()
		}
	}
}

type counted struct {
	net.Conn
	release func()
}

func (c *counted) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// quiet logs what net/http complains of, such as handshakes of strangers, as debug: a
// stranger must not fill the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}
