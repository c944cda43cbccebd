package wire

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"example.org/bridge/internal/harness/process"
)

// waitForListener waits until a server accepts connections at the address of a URL.
func waitForListener(ctx context.Context, address string, p *process.Process) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the server's address is not a URL")
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"https": "443"}[u.Scheme])
		if u.Scheme != "https" {
			host = net.JoinHostPort(u.Hostname(), "80")
		}
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var dialer net.Dialer
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", host); err == nil {
			return conn.Close()
		}
		select {
		case <-p.Done():
			return errors.New("the server ended before it listened at its address")
		case <-ctx.Done():
			return errors.New("the server did not listen at its address in time")
		case <-again.C:
		}
	}
}
