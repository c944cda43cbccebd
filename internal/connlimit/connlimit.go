// Package connlimit bounds how many connections a listener has open at once.
package connlimit

import (
	"errors"
	"net"
	"sync"
)

// Listener returns one that closes at once what is over most connections, so that those
// which are there go on and who is over is told. most must be at least 1.
func Listener(l net.Listener, most int) net.Listener {
	return &limited{l, make(chan struct{}, most)}
}

type limited struct {
	net.Listener
	free chan struct{}
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

// CloseWrite ends what is sent and lets the rest be read, as a server of HTTP does that
// answers before it has read a request whole: closing at once would reset the
// connection, and the answer would be lost on its way (RFC 9112, section 9.6).
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
