// Package remote is a bridge whose store is behind a gateway: the same operations as
// bridge.Service, each one request to the gateway's /api/v1.
//
// The gateway is proved first, by the pin of its store's authority, and nothing is sent
// to any other. What an agent writes is redacted here, before it leaves the machine, and
// again at the gateway.
//
// A connection that is lost is made again, with pauses that grow. An operation that can
// be repeated is: reading, what only sets something, and messages and tasks, which have
// an idempotency key always. Any other one whose answer was lost ends with
// bridge.ErrAnswerLost, and one that could not begin with bridge.ErrGatewayAway.
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

// Options say how a gateway is reached. Only Join is required.
type Options struct {
	Join Join
	// Redactor hides secrets before they leave the machine; nil means the built-in rules.
	Redactor *redact.Engine
	// TryFor is how long an operation is tried while the gateway does not answer; 0
	// means DefaultTryFor. One that waits for mail is tried as long as it waits.
	TryFor time.Duration
	// Attempt is how long one request may take beyond what it waits for; 0 means
	// DefaultAttempt.
	Attempt time.Duration
	// Dial makes a connection; nil means the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Log hears when the gateway is away and when it is back; nil is silence.
	Log *slog.Logger
}

// Defaults of Options. Clients give up a call after 60 seconds.
const (
	DefaultTryFor  = 20 * time.Second
	DefaultAttempt = 15 * time.Second
)

// A peer that is gone without a word is noticed within about 15 seconds, whatever waits.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}

// Conn is a bridge behind a gateway. It is made by New, and safe for concurrent use.
type Conn struct {
	o      Options
	web    *http.Client
	once   onceKeys
	offset atomic.Int64 // nanoseconds from this machine's clock to the store's
	away   atomic.Bool
}

// New returns a connection. It sends nothing yet.
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
			IdleConnTimeout:     90 * time.Second, // less than a gateway's
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}
}

var errRedirect = errors.New("a gateway does not redirect")

// Close gives up connections that are not used.
func (c *Conn) Close() { c.web.CloseIdleConnections() }

// Now is the time of the store, as far as the last answer told.
func (c *Conn) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Address is where the gateway is.
func (c *Conn) Address() string { return c.o.Join.Address }
