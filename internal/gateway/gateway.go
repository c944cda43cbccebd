// Package gateway gives agents on other machines access to a store over HTTP: the tools
// over MCP's Streamable HTTP at /mcp, and single operations, for bridge itself, at
// /api/v1.
//
// A request is checked in this order, and refused at the first check that fails: number of
// connections; TLS (except on loopback); Host and Origin against the gateway's own names
// (against DNS rebinding and requests from other sites); path; access key; role; rate of
// the key; size and speed of the body. No part of a body is read before the key is checked.
//
// The caller is a private value in the request's context that only this package sets: no
// header of a client is used as an identity or as the id of a request. A key authenticates
// only its holder; an operation in a conversation also needs the session's token, as on a
// single machine. docs/machines.md describes gateways for operators.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/connlimit"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/stdio"
)

// Limits of a gateway.
const (
	MaxBody           = 8 << 20  // bytes of a request
	maxHeader         = 16 << 10 // bytes of a request's header
	maxLarge          = 8        // concurrent large bodies in memory
	maxCalls          = 512      // concurrent calls of one key
	maxBatch          = 100      // messages in one request
	DefaultMaxClients = 4096     // connections
)

// Deadlines limit how long a gateway waits for a slow client.
type Deadlines struct {
	Header time.Duration // to send a header, or to finish a handshake
	Body   time.Duration // to send a body, or to get room for a large one
	Answer time.Duration // to read an answer
	Idle   time.Duration // between two requests on a connection
	Beat   time.Duration // between two events of a stream, after which a comment is sent
	Stream time.Duration // lifetime of a stream; then the client opens another
	Linger time.Duration // time for a last request on open connections when the gateway shuts down
}

// defaultDeadlines are used for fields that are not set.
var defaultDeadlines = Deadlines{
	Header: 10 * time.Second,
	Body:   30 * time.Second,
	Answer: 30 * time.Second,
	Idle:   2 * time.Minute,
	Beat:   15 * time.Second,
	Stream: time.Hour,
	Linger: time.Second,
}

// orDefault replaces zero fields by their defaults.
func (d Deadlines) orDefault() Deadlines {
	return Deadlines{
		Header: cmp.Or(d.Header, defaultDeadlines.Header),
		Body:   cmp.Or(d.Body, defaultDeadlines.Body),
		Answer: cmp.Or(d.Answer, defaultDeadlines.Answer),
		Idle:   cmp.Or(d.Idle, defaultDeadlines.Idle),
		Beat:   cmp.Or(d.Beat, defaultDeadlines.Beat),
		Stream: cmp.Or(d.Stream, defaultDeadlines.Stream),
		Linger: cmp.Or(d.Linger, defaultDeadlines.Linger),
	}
}

// Endpoint answers the MCP calls of one access key.
type Endpoint struct {
	MCP *mcp.Server
	// Expect is called before a request with an id is handled, and Settled after its
	// answer was written; written is false if it could not be written completely.
	Expect  func(id jsonrpc.ID)
	Settled func(id jsonrpc.ID, written bool)
	// Forget ends the subscriptions that a client made through an outlet.
	Forget func(stdio.Outlet)
	// Drain makes waiting calls return early. Close ends the endpoint.
	Drain, Close func()
}

// Options are the parameters of a gateway. Certificates, Authority, Deadlines and Log
// may be left out.
type Options struct {
	// Keys checks access keys.
	Keys *access.Service
	// Endpoint returns the endpoint of a key. It is called when a key is first used, and
	// again after its endpoint was closed for being idle.
	Endpoint func(access.Key) Endpoint
	// Bridge implements the operations of /api/v1, which are the methods of the interface
	// type Operations.
	Bridge     any
	Operations reflect.Type
	// Ready returns an error if the store does not answer.
	Ready func(context.Context) error
	// Certificates are used for TLS; nil means plain HTTP, which is allowed on loopback
	// addresses only.
	Certificates Certificates
	// Authority issues the certificates for connections of bridge itself, which trusts only
	// the store's authority. It may be nil if Certificates are issued by it already.
	Authority Certificates
	// Names are the host names, without ports, that clients may use in Host and Origin.
	Names []string
	// MaxClients limits the number of open connections.
	MaxClients int
	// Deadlines for slow clients; a zero field means its default.
	Deadlines Deadlines
	// Figures returns the content of /metrics, in Prometheus's text format. It is called by
	// one request at a time. If nil, there is no such page.
	Figures func(context.Context) ([]byte, error)
	// Observe is called for each call, unless it is nil.
	Observe Observer
	// Version is the program's version, which is sent to clients.
	Version string
	// Log receives failures. It never receives a key, a token or the text of a message.
	Log *slog.Logger
}

// Gateway serves a store over HTTP. Use New to create one.
type Gateway struct {
	o          Options
	principals *principals
	operations *operations
	large      chan struct{} // held while a large body is in memory
	unproven   chan struct{} // held while a refused key is recorded
	gathering  chan struct{} // held while figures are gathered
	draining   chan struct{} // closed when the gateway starts to shut down
	ending     chan struct{} // closed when no further request is answered
	connected  connections
	drained    context.Context //nolint:containedctx // ends with draining, for what waits for a context
	endStreams context.CancelFunc
	names      map[string]bool
	begun      time.Time
	last       atomic.Int64 // the number of the last request
}

// New returns a gateway. It starts listening when Serve is called.
func New(o Options) *Gateway {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string, string, bool, time.Duration) {}
	}
	if o.MaxClients == 0 {
		o.MaxClients = DefaultMaxClients
	}
	o.Deadlines = o.Deadlines.orDefault()
	g := &Gateway{
		o:         o,
		large:     make(chan struct{}, maxLarge),
		unproven:  make(chan struct{}, 16),
		gathering: make(chan struct{}, 1),
		draining:  make(chan struct{}),
		ending:    make(chan struct{}),
		names:     map[string]bool{},
		begun:     time.Now(),
	}
	g.drained, g.endStreams = context.WithCancel(context.Background())
	for _, name := range o.Names {
		g.names[canonical(name)] = true
	}
	if o.Certificates != nil {
		g.names[operation.ServerName] = true
	}
	g.operations = newOperations(o.Bridge, o.Operations, g.draining)
	g.principals = newPrincipals(o)
	return g
}

// drainGrace is how long calls in flight may take when the gateway shuts down.
const drainGrace = 10 * time.Second

// Serve answers requests on l until ctx ends, and closes l. Then waiting calls return
// early, each connection is closed after its next answer, and once none is open or Linger
// has passed, requests get status 503 and operations already started are completed.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	if g.o.Certificates == nil && !isLoopback(l.Addr()) {
		return errors.Join(ErrPlain, l.Close())
	}
	server := g.server()
	l = connlimit.Listener(l, g.o.MaxClients)
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		g.principals.watch(watching)
	}()
	ended := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			ended <- server.ServeTLS(l, "", "")
		} else {
			ended <- server.Serve(l)
		}
	}()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = g.drain(server)
		err = errors.Join(err, notClosed(<-ended))
	}
	stop()
	<-watched
	g.principals.close()
	return err
}

// server returns the HTTP server that Serve runs, with TLS if there are certificates.
func (g *Gateway) server() *http.Server {
	server := &http.Server{
		Handler:           g,
		ReadHeaderTimeout: g.o.Deadlines.Header,
		IdleTimeout:       g.o.Deadlines.Idle,
		MaxHeaderBytes:    maxHeader,
		ConnState:         g.connected.note,
		ErrorLog:          slog.NewLogLogger(quiet{g.o.Log.Handler()}, slog.LevelDebug),
	}
	// Only HTTP/1: HTTP/2 ends an answer with a separate frame, which follows the data that
	// counts as written.
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	if g.o.Certificates != nil {
		server.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: g.certificate,
		}
	}
	return server
}

// certificate returns the certificate for a connection.
func (g *Gateway) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if g.o.Authority != nil && hello.ServerName == operation.ServerName {
		return g.o.Authority.Certificate()
	}
	return g.o.Certificates.Certificate()
}

// notClosed returns err unless it only says that the server was told to shut down.
func notClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain ends the waiting calls, and then the server. A client with an open connection may
// send a request at any moment, which would be lost if the connection were closed. So open
// connections get time for one more request, and its answer announces the end of the
// connection.
func (g *Gateway) drain(server *http.Server) error {
	close(g.draining)
	g.endStreams()
	g.principals.drain()
	select {
	case <-g.connected.none():
	case <-time.After(g.o.Deadlines.Linger):
	}
	close(g.ending)
	ctx, cancel := context.WithTimeout(context.Background(), drainGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close() // close connections that have not ended by then
	}
	return nil
}

func (g *Gateway) isDraining() bool { return isClosed(g.draining) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// connections counts open connections.
type connections struct {
	mu    sync.Mutex
	open  int
	empty chan struct{} // closed when none is open; nil if nobody waits for that
}

// note is called by net/http when the state of a connection changes.
func (c *connections) note(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open++
	case http.StateClosed, http.StateHijacked:
		c.open--
	default: // still open
		return
	}
	if c.open == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

// none returns a channel that is closed when no connection is open.
func (c *connections) none() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	empty := make(chan struct{})
	if c.open == 0 {
		close(empty)
	} else {
		c.empty = empty
	}
	return empty
}
