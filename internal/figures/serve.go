package figures

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/bridge/internal/connlimit"
)

// ErrNotLoopback reports an address that other machines can reach.
var ErrNotLoopback = errors.New("the figures are only served on this machine: listen on 127.0.0.1 or [::1], and use a proxy with TLS and a password for other machines")

// Listen listens on address, which must be a loopback address. Port 0 selects a
// free port.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !loopback(host) {
		return nil, ErrNotLoopback
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// maxConnections is the maximum number of open connections. Further ones are closed.
const maxConnections = 64

// Server answers scrapes, one at a time.
type Server struct {
	Collector *Collector
	Now       func() time.Time
	Log       *slog.Logger

	turn sync.Mutex
}

// Serve answers "GET /metrics" and "GET /healthz" on l until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /healthz", s.health)
	server := &http.Server{
		Handler: onlyLocal(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(connlimit.Listener(l, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// onlyLocal refuses requests with a foreign host name. They may come from a page in
// a browser that has redirected its own name to this machine (DNS rebinding).
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !loopback(host) {
			http.Error(w, "the name of this server is localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := s.write(r.Context(), &text); err != nil {
		s.Log.Warn("the figures could not be gathered", "error", err)
		http.Error(w, "the figures could not be gathered: the log says why", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", ContentType)
	_, _ = text.WriteTo(w)
}

func (s *Server) write(ctx context.Context, text *bytes.Buffer) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	all, err := s.Collector.Gather(ctx, s.Now())
	if err != nil {
		return err
	}
	return Write(text, all)
}

// health reports whether the store can be read.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Collector.Bridge.Limits(r.Context(), ""); err != nil {
		s.Log.Warn("the store could not be read", "error", err)
		http.Error(w, "the store could not be read: the log says why", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
