// Package remote implements the operations of bridge.Service for a store behind a
// gateway. Each operation is one request to the gateway's /api/v1.
//
// The gateway is authenticated first, by the pin of its store's authority; nothing is
// sent to any other server. What an agent writes is redacted before it leaves the
// machine, and again at the gateway.
//
// A lost connection is re-established with increasing pauses. An operation is repeated if
// that has the same effect as doing it once: reading, setting a value, and messages and
// tasks, which always have an idempotency key. Any other operation whose answer was lost
// returns bridge.ErrAnswerLost, and one that could not start returns bridge.ErrGatewayAway.
//
// The methods of Conn take and return what the methods of bridge.Service, and of the
// services of tasks, claims, files and steps, with the same names do. They return the same
// errors, and the two above.
package remote

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"example.org/bridge/internal/redact"
)

// Options are the parameters of a connection. Only Join is required.
type Options struct {
	Join Join
	// Redactor removes secrets before text leaves the machine; nil means the built-in
	// rules.
	Redactor *redact.Engine
	// TryFor is how long an operation is retried while the gateway does not answer; 0
	// means DefaultTryFor. An operation that waits for mail is retried until its wait
	// ends.
	TryFor time.Duration
	// Attempt is the timeout of one request, in addition to the time that it waits for
	// mail; 0 means DefaultAttempt.
	Attempt time.Duration
	// Dial opens a connection; nil means net.Dialer's DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Log receives a line when the gateway stops answering and when it answers again. If
	// nil, nothing is logged.
	Log *slog.Logger
}

// Defaults of Options. Together they stay below 60 seconds, after which clients abandon a
// call.
const (
	DefaultTryFor  = 20 * time.Second
	DefaultAttempt = 15 * time.Second
)

// A peer that has silently disappeared is noticed within about 15 seconds, even during a
// long wait.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}

// Conn is a connection to a bridge behind a gateway. Use New to make one. It is safe
// for concurrent use.
type Conn struct {
	o      Options
	web    *http.Client
	once   onceKeys
	offset atomic.Int64 // nanoseconds to add to this machine's clock to get the store's
	away   atomic.Bool
}

// New returns a connection. Nothing is sent before the first operation.
func New(o Options) *Conn {
	if o.Redactor == nil {
		o.Redactor = new(redact.Engine)
	}
	if o.TryFor == 0 {
		o.TryFor = DefaultTryFor
	}
	if o.Attempt == 0 {
		o.Attempt = DefaultAttempt
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Conn{o: o, web: &http.Client{
		Transport: &http.Transport{
			DialContext:         o.Dial,
			TLSClientConfig:     pinned(o.Join.Pin),
			TLSHandshakeTimeout: o.Attempt,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second, // less than the timeout of a gateway
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}
}

var errRedirect = errors.New("a gateway does not redirect")

// Close closes idle connections.
func (c *Conn) Close() { c.web.CloseIdleConnections() }

// Now returns the store's time, estimated from the last answer.
func (c *Conn) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Address returns the gateway's host and port.
func (c *Conn) Address() string { return c.o.Join.Address }
