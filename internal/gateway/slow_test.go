package gateway_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
)

// short are deadlines that a test can wait for. never is for deadlines that a test must not
// reach.
const (
	short = 300 * time.Millisecond
	never = time.Hour
)

// patient has no deadline that a test reaches.
var patient = gateway.Deadlines{Header: never, Body: never, Answer: never, Idle: never}

// within changes one of the deadlines.
func within(change func(*gateway.Deadlines)) func(*gateway.Options) {
	return func(o *gateway.Options) {
		o.Deadlines = patient
		change(&o.Deadlines)
	}
}

// dial opens a connection that the test reads and writes directly. It tries several times,
// because on a busy machine the handshake may hit the deadline, and a connection that was
// just closed may not have freed its place.
func (p *place) dial(t *testing.T) *tls.Conn {
	t.Helper()
	var c *tls.Conn
	bridgetest.Eventually(t, "the gateway accepts a connection", func() bool {
		var err error
		c, err = tls.Dial("tcp", p.address, &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12, ServerName: "127.0.0.1"})
		return err == nil
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ends returns what the gateway sends until it closes the connection, which must happen.
func ends(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Fatal("the connection stays open")
	}
	return string(text)
}

// drip writes single bytes with pauses until the gateway closes the connection.
func drip(c net.Conn) {
	ticker := time.NewTicker(short / 20)
	defer ticker.Stop()
	for range ticker.C {
		if _, err := c.Write([]byte("x")); err != nil {
			return
		}
	}
}

func (p *place) post(secret, path string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, secret, length)
}

// TestSlowClients checks that clients that are slow with the handshake, a header, a body,
// or the next request are disconnected, even if they send a byte now and then.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	slowHeader := within(func(d *gateway.Deadlines) { d.Header = short })
	slowBody := within(func(d *gateway.Deadlines) { d.Body = short })
	tests := []struct {
		name   string
		change func(*gateway.Options)
		plain  bool // without a handshake
		keyed  bool // sends a header with a key first
		sends  string
		drips  bool
		want   string
	}{
		{"no handshake", slowHeader, true, false, "", false, ""},
		{"a handshake in drops", slowHeader, true, false, "\x16\x03\x01\x10\x00", true, ""},
		{"no header", slowHeader, false, false, "", false, ""},
		{"half a header", slowHeader, false, false, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", false, ""},
		{"a header in drops", slowHeader, false, false, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", true, ""},
		{"no body", slowBody, false, true, "", false, " 408 "},
		{"half a body", slowBody, false, true, "{", false, " 408 "},
		{"a body in drops", slowBody, false, true, "{", true, " 408 "},
		{"half of a large body", slowBody, false, true, strings.Repeat(" ", 100<<10), false, " 408 "},
		{"no second request", within(func(d *gateway.Deadlines) { d.Idle = short }), false, false, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", false, " 200 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tt.change)
			var c net.Conn
			if tt.plain {
				c = must(new(net.Dialer).DialContext(t.Context(), "tcp", p.address))(t)
				defer func() { _ = c.Close() }()
			} else {
				c = p.dial(t)
			}
			sends := tt.sends
			if tt.keyed {
				sends = p.post(p.key(t, "slow", access.Agent), "/mcp", 200<<10) + sends
			}
			_, _ = io.WriteString(c, sends) // fails if the gateway has already disconnected
			if tt.drips {
				go drip(c)
			}
			if got := ends(t, c); !strings.Contains(got, tt.want) || (tt.want == "" && strings.Contains(got, " 200 ")) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}

// TestSlowClientsLeaveRoom checks that slow clients that hold all connections lose them.
func TestSlowClientsLeaveRoom(t *testing.T) {
	t.Parallel()
	const most = 6
	p := newPlace(t, within(func(d *gateway.Deadlines) { d.Header, d.Body = short, short }), func(o *gateway.Options) { o.MaxClients = most })
	secret := p.key(t, "slow", access.Agent)
	for _, sends := range []string{"POST /mcp HTTP/1.1\r\n", p.post(secret, "/mcp", 200<<10) + "{"} {
		var all []net.Conn
		for range most {
			c := p.dial(t)
			_, _ = io.WriteString(c, sends) // fails if the gateway has already disconnected
			all = append(all, c)
		}
		for _, c := range all {
			ends(t, c)
			_ = c.Close()
		}
	}
	for range most {
		p.dial(t)
	}
}

// mailbox delivers a large message, and records what is given back.
type mailbox struct {
	given chan bridge.Claim
}

type mailboxOperations interface {
	Take(ctx context.Context) (bridge.Delivery, error)
}

func (m *mailbox) Take(context.Context) (bridge.Delivery, error) {
	text := strings.Repeat("large ", 4<<20)
	return bridge.Delivery{Messages: []bridge.Message{{Text: text}}, Claim: bridge.Claim{ID: 7}}, nil
}

func (m *mailbox) GiveBack(_ context.Context, c bridge.Claim) error {
	m.given <- c
	return nil
}

func (m *mailbox) Now() time.Time { return time.Now() }

// TestSlowReader checks that a client that does not read its answer is disconnected, and
// that its messages are given back so that the next call gets them.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	box := &mailbox{given: make(chan bridge.Claim, 1)}
	p := newPlace(t, within(func(d *gateway.Deadlines) { d.Answer = short }), func(o *gateway.Options) {
		o.Bridge, o.Operations = box, reflect.TypeFor[mailboxOperations]()
	})
	c := p.dial(t)
	if _, err := io.WriteString(c, p.post(p.key(t, "slow", access.Agent), "/api/v1/operations/Take", 2)+"[]"); err != nil {
		t.Fatal(err)
	}
	select {
	case claim := <-box.given:
		if claim.ID != 7 {
			t.Errorf("given back: %+v", claim)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing is given back")
	}
	if text := ends(t, c); len(text) > 20<<20 {
		t.Errorf("received %d bytes of the answer", len(text))
	}
}

// pipes is a listener whose connections are unbuffered: a write completes only when it is
// read.
type pipes struct {
	made  chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.ended) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dialPipe returns a connection to the gateway without buffers.
func (p *place) dialPipe(t *testing.T) net.Conn {
	t.Helper()
	l := &pipes{made: make(chan net.Conn, 1), ended: make(chan struct{})}
	server := &http.Server{Handler: p.gateway, ReadHeaderTimeout: never}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	ours, theirs := net.Pipe()
	l.made <- theirs
	t.Cleanup(func() {
		_ = ours.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return ours
}

// TestStreamThatNobodyReads checks that a client that stops reading its stream is
// disconnected when it has not read an event in time, that its call ends, that queued
// notifications stay within the outlet's limit, and that other clients receive everything.
func TestStreamThatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(p *place, secret, uri string) string{
		"subscriptions/listen": func(p *place, secret, uri string) string {
			body := listenBody(1, map[string]any{"resourceSubscriptions": []string{uri}})
			return strings.Replace(p.post(secret, "/mcp", len(body)), "\r\n\r\n",
				"\r\nAccept: application/json, text/event-stream\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n\r\n", 1) + body
		},
		"GET": func(_ *place, secret, _ string) string {
			return "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + secret + "\r\n\r\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, within(func(d *gateway.Deadlines) { d.Answer, d.Beat = short, short/10 }))
			ada, bob := p.key(t, "ada", access.Agent), p.key(t, "bob", access.Agent)
			pair, beside := p.pairOf(t, ada), p.pairOf(t, bob)
			uri := "collaboration://" + beside.A.Conversation
			reading := p.listen(t, bob, 1, uri)
			if message, _ := reading.next(); message["method"] != "notifications/subscriptions/acknowledged" {
				t.Fatalf("acknowledged: %v", message)
			}
			c := p.dialPipe(t)
			if _, err := io.WriteString(c, ask(p, ada, "collaboration://"+pair.A.Conversation)); err != nil {
				t.Fatal(err)
			}
			begin := make([]byte, 12)
			if _, err := io.ReadFull(c, begin); err != nil || string(begin) != "HTTP/1.1 200" {
				t.Fatalf("the stream begins with %q, %v", begin, err)
			}
			if n := p.gateway.Calls(access.ID(ada)); n != 1 {
				t.Fatalf("%d calls are under way", n)
			}
			setStatus(t, p, pair.B, bridge.StatusWorking)
			bridgetest.Eventually(t, "the call of the client that does not read ends", func() bool { return p.gateway.Calls(access.ID(ada)) == 0 })
			setStatus(t, p, beside.B, bridge.StatusWorking)
			reading.want(updated, `{"_meta":{"io.modelcontextprotocol/subscriptionId":1},"uri":"`+uri+`"}`)
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 64<<10 {
				t.Errorf("%d bytes were kept for the client that did not read: %v", len(rest), err)
			}
		})
	}
}

// TestLargeBodiesAtOnce checks that only a limited number of large bodies is in memory,
// that requests that get no room in time are told to try again, and that small requests are
// answered meanwhile.
func TestLargeBodiesAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t, within(func(d *gateway.Deadlines) { d.Body = short }))
	secret := p.key(t, "many", access.Agent)
	small := rpc("tools/list", map[string]any{})
	large := small + strings.Repeat(" ", 1<<20)
	p.gateway.HoldLarge()
	if status, header, body := p.raw(t, secret, "POST", "/mcp", large, legacy); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("without room: %d %.200s", status, body)
	}
	if status, _, body := p.raw(t, secret, "POST", "/mcp", small, legacy); status != 200 {
		t.Errorf("a small request: %d %.200s", status, body)
	}
	p = newPlace(t, within(func(*gateway.Deadlines) {}))
	secret = p.key(t, "many", access.Agent)
	for range 20 { // more than fit at the same time: each frees its room again
		if status, _, body := p.raw(t, secret, "POST", "/mcp", large, legacy); status != 200 {
			t.Fatalf("with room: %d %.200s", status, body)
		}
	}
	p.gateway.HoldLarge() // all room is free now
}

// TestCallsAtOnce checks that the calls in flight of one key are limited, and that other
// keys have their own limit.
func TestCallsAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t, within(func(*gateway.Deadlines) {}))
	greedy, other := p.key(t, "greedy", access.Agent), p.key(t, "other", access.Agent)
	const most = 512
	for range most {
		if _, err := io.WriteString(p.dial(t), p.post(greedy, "/mcp", 10)+"{"); err != nil {
			t.Fatal(err)
		}
	}
	bridgetest.Eventually(t, "all calls begin", func() bool { return p.gateway.Calls(access.ID(greedy)) == most })
	list := rpc("tools/list", map[string]any{})
	if status, header, _ := p.raw(t, greedy, "POST", "/mcp", list, legacy); status != 429 || header.Get("Retry-After") == "" {
		t.Errorf("one more: %d", status)
	}
	if status, _, body := p.raw(t, other, "POST", "/mcp", list, legacy); status != 200 {
		t.Errorf("another key: %d %s", status, body)
	}
}
