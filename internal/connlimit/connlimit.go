// Package connlimit limits how many connections a listener has open at the same
// time.
package connlimit

import (
	"errors"
	"net"
	"sync"
)

// Listener returns a listener that keeps at most most connections open, which must be
// at least 1. It closes further connections immediately, so that their clients notice
// and existing connections are not affected.
func Listener(l net.Listener, most int) net.Listener {
	return &limited{l, make(chan struct{}, most)}
}

type limited struct {
	net.Listener
	free chan struct{}
}

// Accept returns the next connection within the limit.
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

// CloseWrite closes the sending side, so that the rest of the peer's data can still be
// read. An HTTP server does this if it answers before it has read the whole request:
// closing the connection would reset it and could lose the answer (RFC 9112, section
// 9.6).
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
