// Package gateway lets agents of other machines use a store over HTTP: the tools over
// MCP's Streamable HTTP at /mcp, and single operations for bridge itself at /api/v1.
//
// What a stranger can send is refused in this order, each before the next is looked at:
// too many connections; no TLS, but on loopback; a Host or an Origin that is not this
// gateway's (rebinding, pages of other sites); a path that there is not; no valid access
// key; a role that does not allow it; too many calls of one key; a body that is too
// large or too slow. Nothing of a request's body is read before its key was checked.
//
// Who calls is a private value in the request's context that only this package sets:
// no header of a client is ever an identity or the name of a request. A key proves its
// holder only; for a conversation the session's token is needed as on one machine.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/gateway/operation"
)

// Limits of a gateway.
const (
	MaxBody           = 8 << 20  // bytes of a request
	maxHeader         = 16 << 10 // bytes of a request's header
	maxLarge          = 8        // large bodies in memory at once
	maxCalls          = 512      // of one key at once
	maxBatch          = 100      // messages in one request
	DefaultMaxClients = 4096     // connections
)

// Deadlines are how long a gateway waits for a client that is slow.
type Deadlines struct {
	Header time.Duration // to send a header, or to finish a handshake
	Body   time.Duration // to send a body, or to get room for a large one
	Answer time.Duration // to read an answer
	Idle   time.Duration // between two requests of a connection
}

// defaultDeadlines are those of a gateway that is told no others.
var defaultDeadlines = Deadlines{
	Header: 10 * time.Second,
	Body:   30 * time.Second,
	Answer: 30 * time.Second,
	Idle:   2 * time.Minute,
}

// Endpoint answers the calls of one access key over MCP.
type Endpoint struct {
	MCP *mcp.Server
	// Expect is called before a request with an id, and Settled behind its answer,
	// which was written whole or was not.
	Expect  func(id jsonrpc.ID)
	Settled func(id jsonrpc.ID, written bool)
	// Drain lets calls that wait return, and Close ends the endpoint.
	Drain, Close func()
}

// Options say what a gateway serves. All but Certificates and Log are required.
type Options struct {
	// Keys says who may call.
	Keys *access.Service
	// Endpoint makes the endpoint of a key.
	Endpoint func(access.Key) Endpoint
	// Bridge answers the operations of /api/v1, which are the methods of Operations,
	// an interface type.
	Bridge     any
	Operations reflect.Type
	// Ready reports whether the store answers.
	Ready func(context.Context) error
	// Certificates are of TLS; nil is plain HTTP, which is for loopback only.
	Certificates Certificates
	// Authority gives the certificates for bridge's own connections, which trust no other
	// than the store's authority. Nil where Certificates are of that one already.
	Authority Certificates
	// Names are the hosts, without ports, by which clients reach the gateway.
	Names []string
	// MaxClients bounds the number of connections.
	MaxClients int
	// Deadlines are for slow clients; zero means the default ones.
	Deadlines Deadlines
	// Version is the bridge's own.
	Version string
	// Log hears of failures; never of a key, a token or a message's text.
	Log *slog.Logger
}

// Gateway serves a store. It is made by New.
type Gateway struct {
	o          Options
	principals *principals
	operations *operations
	large      chan struct{} // held while a large body is in memory
	strangers  chan struct{} // held while a refused key is recorded
	draining   chan struct{}
	names      map[string]bool
	begun      time.Time
	last       atomic.Int64 // the number of the last request
}

// New returns a gateway.
func New(o Options) *Gateway {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxClients == 0 {
		o.MaxClients = DefaultMaxClients
	}
	if o.Deadlines == (Deadlines{}) {
		o.Deadlines = defaultDeadlines
	}
	g := &Gateway{
		o:         o,
		large:     make(chan struct{}, maxLarge),
		strangers: make(chan struct{}, 16),
		draining:  make(chan struct{}),
		names:     map[string]bool{},
		begun:     time.Now(),
	}
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

// drainGrace is how long calls that are under way get when the gateway is to end.
const drainGrace = 10 * time.Second

// Serve answers on l until ctx ends. Then calls that wait return with what they have,
// new ones are told to come back (503), and those that change something are finished.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	if g.o.Certificates == nil && !isLoopback(l.Addr()) {
		return errors.Join(ErrPlain, l.Close())
	}
	server := &http.Server{
		Handler:           g,
		ReadHeaderTimeout: g.o.Deadlines.Header,
		IdleTimeout:       g.o.Deadlines.Idle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(quiet{g.o.Log.Handler()}, slog.LevelDebug),
	}
	// HTTP/2 ends an answer in a frame of its own, behind what counts as written.
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	l = limit(l, g.o.MaxClients)
	if g.o.Certificates != nil {
		server.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: g.certificate,
		}
	}
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

// certificate is the one for a connection.
func (g *Gateway) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if g.o.Authority != nil && hello.ServerName == operation.ServerName {
		return g.o.Authority.Certificate()
	}
	return g.o.Certificates.Certificate()
}

// notClosed is an error of a server other than that it was told to end.
func notClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain ends the calls that wait, and then the server.
func (g *Gateway) drain(server *http.Server) error {
	close(g.draining)
	g.principals.drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close() // what has not ended by then is cut off
	}
	return nil
}

func (g *Gateway) isDraining() bool {
	select {
	case <-g.draining:
		return true
	default:
		return false
	}
}
