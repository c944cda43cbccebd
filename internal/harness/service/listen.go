package service

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"example.org/bridge/internal/harness/local"
)

// ErrExposed reports an address that other machines can reach, used without TLS and keys.
var ErrExposed = errors.New("other machines can reach this address: configure security.rbac and security.tls, or listen on 127.0.0.1")

// Places are the two addresses on which a service listens: two ports of one host. TLS is
// nil for plain HTTP.
type Places struct {
	Host            string
	Metrics, Health int
	TLS             *tls.Config
}

// Listeners are the two open ports.
type Listeners struct{ Metrics, Health net.Listener }

// Listen opens both ports.
func (p Places) Listen(ctx context.Context, a Access) (l Listeners, err error) {
	if !local.Host(p.Host) && (a.Open() || p.TLS == nil) {
		return l, ErrExposed
	}
	open := func(port int) (net.Listener, error) {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(p.Host, strconv.Itoa(port)))
		if err == nil && p.TLS != nil {
			l = tls.NewListener(l, p.TLS)
		}
		return l, err
	}
	if l.Metrics, err = open(p.Metrics); err != nil {
		return l, err
	}
	if l.Health, err = open(p.Health); err != nil {
		_ = l.Metrics.Close()
	}
	return l, err
}

// leave is how long answers in progress may take at the end.
const leave = 2 * time.Second

// Serve runs the schedule and answers requests on both ports until ctx ends.
func (s *Service) Serve(ctx context.Context, l Listeners) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	var failed [2]error
	for i, one := range []struct {
		listener net.Listener
		handler  http.Handler
	}{{l.Metrics, s.Metrics()}, {l.Health, s.Health()}} {
		all.Go(func() {
			failed[i] = serve(ctx, one.listener, one.handler)
			cancel() // without one of the ports the service is incomplete
		})
	}
	s.Keep(ctx)
	all.Wait()
	return errors.Join(failed[:]...)
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), leave)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
