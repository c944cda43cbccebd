package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
)

var zeroHead audit.Head

// TestRefusals checks the status of each kind of request that must be refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	agent, viewer := p.key(t, "agent", access.Agent), p.key(t, "viewer", access.Viewer)
	list := rpc("tools/list", map[string]any{})
	batch := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(list+",", n), ",") + "]" }
	old := map[string]string{"Mcp-Protocol-Version": "2025-03-26"}
	tests := []struct {
		name, secret, method, path, body string
		header                           map[string]string
		status                           int
	}{
		{"good", agent, "POST", "/mcp", list, legacy, 200},
		{"no key", "", "POST", "/mcp", list, legacy, 401},
		{"a wrong key", "brk_0123456789ab_" + strings.Repeat("0", 64), "POST", "/mcp", list, legacy, 401},
		{"a key in another scheme", "", "POST", "/mcp", list, map[string]string{"Authorization": "Basic " + agent}, 401},
		{"a key in the path", "", "POST", "/mcp?access_token=" + agent, list, legacy, 401},
		{"a viewer", viewer, "POST", "/mcp", list, legacy, 403},
		{"a viewer's operation", viewer, "POST", "/api/v1/operations/Join", `["x"]`, nil, 403},
		{"no operation", agent, "POST", "/api/v1/operations/Compact", `[]`, nil, 404},
		{"an operation without its arguments", agent, "POST", "/api/v1/operations/Join", `[]`, nil, 400},
		{"an operation with too many", agent, "POST", "/api/v1/operations/Join", `["a","b"]`, nil, 400},
		{"an operation that is not JSON", agent, "POST", "/api/v1/operations/Join", `{`, nil, 400},
		{"an operation without a key", "", "POST", "/api/v1/operations/Join", `["x"]`, nil, 401},
		{"an operation that the domain refuses", agent, "POST", "/api/v1/operations/Join", `["x"]`, nil, 422},
		{"rebinding", agent, "POST", "/mcp", list, map[string]string{"Host": "evil.example"}, 421},
		{"rebinding, before the key", "", "POST", "/mcp", list, map[string]string{"Host": "evil.example"}, 421},
		{"rebinding of health", "", "GET", "/health", "", map[string]string{"Host": "evil.example"}, 421},
		{"a foreign origin", agent, "POST", "/mcp", list, map[string]string{"Origin": "https://evil.example"}, 403},
		{"the origin of no page", agent, "POST", "/mcp", list, map[string]string{"Origin": "null"}, 403},
		{"its own origin", agent, "POST", "/mcp", list, map[string]string{"Origin": "https://" + p.address}, 200},
		{"its own name over HTTP", agent, "POST", "/mcp", list, map[string]string{"Origin": "http://" + p.address}, 403},
		{"another site", agent, "POST", "/mcp", list, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET of an operation", agent, "GET", "/api/v1/operations/Join", "", nil, 405},
		{"PUT", agent, "PUT", "/mcp", "", nil, 405},
		{"GET without a key", "", "GET", "/mcp", "", nil, 401},
		{"GET as a viewer", viewer, "GET", "/mcp", "", nil, 403},
		{"GET of another site", agent, "GET", "/mcp", "", map[string]string{"Origin": "https://evil.example"}, 403},
		{"DELETE", agent, "DELETE", "/mcp", "", nil, 405},
		{"another type", agent, "POST", "/mcp", list, map[string]string{"Content-Type": "text/plain"}, 415},
		{"not JSON", agent, "POST", "/mcp", "{", legacy, 400},
		{"nothing", agent, "POST", "/mcp", "", legacy, 400},
		{"an empty batch", agent, "POST", "/mcp", "[]", old, 400},
		{"a batch of too many", agent, "POST", "/mcp", batch(101), old, 400},
		{"a batch in a revision without batches", agent, "POST", "/mcp", batch(2), legacy, 400},
		{"an unknown revision", agent, "POST", "/mcp", list, map[string]string{"Mcp-Protocol-Version": "2000-01-01"}, 400},
		{"too large", agent, "POST", "/mcp", strings.Repeat(" ", gateway.MaxBody+1), legacy, 413},
		{"metadata of OAuth", "", "GET", "/.well-known/oauth-protected-resource", "", nil, 404},
		{"another path", agent, "POST", "/other", list, nil, 404},
		{"a path around", agent, "POST", "/mcp/../mcp", list, legacy, 404},
		{"POST to health", "", "POST", "/health", "{}", nil, 405},
		{"health", "", "GET", "/health", "", nil, 200},
		{"ready", "", "GET", "/ready", "", nil, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header, body := p.raw(t, tt.secret, tt.method, tt.path, tt.body, tt.header)
			if status != tt.status {
				t.Errorf("got %d, want %d: %.300s", status, tt.status, body)
			}
			if status == 401 && !strings.HasPrefix(header.Get("Www-Authenticate"), "Bearer") {
				t.Error("no WWW-Authenticate")
			}
			if tt.secret != "" && strings.Contains(body, tt.secret[17:]) {
				t.Error("the key is in the answer")
			}
		})
	}
	if text := p.log.String(); strings.Contains(text, agent[17:]) {
		t.Error("a key is in the log")
	}
	if _, _, body := p.raw(t, "", "GET", "/health", "", nil); !strings.HasPrefix(body, `{"status":"healthy"`) && !strings.Contains(body, `"status":"healthy"`) {
		t.Errorf("health: %s", body)
	}
	logged := must(p.served.AuditEntries(t.Context(), bridge.AuditQuery{}))(t)
	refused := 0
	for _, e := range logged {
		if e.Outcome == bridge.OutcomeUnauthorized {
			refused++
		}
		if strings.Contains(e.Details, agent[17:]) {
			t.Error("a key is in the audit log")
		}
	}
	if refused < 5 {
		t.Errorf("%d refusals are logged", refused)
	}
}

// TestUnhandled checks that requests that the SDK refuses in plain text are answered with
// the id of the request.
func TestUnhandled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret := p.key(t, "agent", access.Agent)
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"no such method":   {rpc("no/such", map[string]any{}), 200, `{"error":{"code":-32601,"message":"there is no such method"},"id":1,"jsonrpc":"2.0"}`},
		"parameters wrong": {`{"jsonrpc":"2.0","id":"a","method":"tools/call"}`, 400, `"code":-32600`},
		"its id":           {`{"jsonrpc":"2.0","id":"a","method":"tools/call"}`, 400, `"id":"a"`},
		"a notification":   {`{"jsonrpc":"2.0","method":"no/such"}`, 400, `not handled`},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := p.raw(t, secret, "POST", "/mcp", tt.body, legacy)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// endless is an endless body, sent in chunks.
type endless struct{ sent atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.sent.Add(int64(len(p))) > 64<<20 {
		return 0, io.EOF
	}
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

// TestChunkedBody checks that a body of unknown length is refused when it becomes too
// large, and not read to its end.
func TestChunkedBody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret := p.key(t, "agent", access.Agent)
	body := &endless{}
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.address+"/mcp", io.NopCloser(body)))(t)
	r.Header.Set("Content-Type", "application/json")
	resp, err := p.web(secret).Do(r)
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", resp.StatusCode)
		}
	}
	if n := body.sent.Load(); n > 32<<20 {
		t.Errorf("%d bytes were read", n)
	}
	// The body of a request without a valid key is not read.
	body = &endless{}
	r = must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.address+"/mcp", io.NopCloser(body)))(t)
	if resp, err := p.web("").Do(r); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a stranger: got %d", resp.StatusCode)
		}
	}
	if n := body.sent.Load(); n > 8<<20 {
		t.Errorf("%d bytes of a body were read without a valid key", n)
	}
}

// TestForgedRequestID checks that client headers identify neither a request nor a caller:
// two clients that claim to be the same get their own answers, and each message once.
func TestForgedRequestID(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada := p.agent(t, p.key(t, "ada", access.Agent))
	bob, carol := p.key(t, "bob", access.Agent), p.key(t, "carol", access.Agent)
	codes := [2]string{}
	for i := range codes {
		created := tool(t, ada, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
		codes[i], _ = created["join_code"].(string)
		tool(t, ada, "send_to_partner", map[string]any{
			"conversation_id": created["conversation_id"], "session_id": "a", "token": created["session_a_token"], "message": "for " + string(rune('b'+i)),
		})
	}
	forged := map[string]string{"Request-Id": "http 1", "X-Request-Id": "http 1", "Mcp-Session-Id": "same", "X-Forwarded-For": "10.0.0.1", "Mcp-Protocol-Version": "2025-06-18"}
	for i, secret := range []string{bob, carol} {
		p.raw(t, secret, "POST", "/mcp", callOf("join_conversation", map[string]any{"join_code": codes[i]}), forged)
	}
	for i, secret := range []string{bob, carol} {
		_, _, body := p.raw(t, secret, "POST", "/mcp", callOf("check_messages", map[string]any{}), forged)
		if own, other := "for "+string(rune('b'+i)), "for "+string(rune('c'-i)); !strings.Contains(body, own) || strings.Contains(body, other) {
			t.Errorf("%d got %s", i, body)
		}
		if _, _, body := p.raw(t, secret, "POST", "/mcp", callOf("check_messages", map[string]any{}), forged); strings.Contains(body, "for ") {
			t.Errorf("%d received it a second time: %s", i, body)
		}
	}
}

// TestPlain checks that plain HTTP is served on loopback addresses only.
func TestPlain(t *testing.T) {
	t.Parallel()
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "0.0.0.0:0"))(t)
	err := gateway.New(gateway.Options{Operations: operationsOfNobody}).Serve(t.Context(), l)
	if !errors.Is(err, gateway.ErrPlain) {
		t.Errorf("got %v", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it listens")
	}
	p := newPlace(t)
	resp, err := http.Get("http://" + p.address + "/health") //nolint:noctx // a client that does not know of TLS
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("a TLS listener answers plain HTTP")
		}
	}
}

// TestDrain checks that when a gateway shuts down, waiting calls return and the gateway
// ends.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret := p.key(t, "agent", access.Agent)
	p.raw(t, secret, "POST", "/mcp", callOf("create_conversation", map[string]any{"my_role": "x", "partner_role": "y"}), legacy)
	status := make(chan int, 1)
	go func() {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://"+p.address+"/mcp",
			strings.NewReader(callOf("check_messages", map[string]any{"wait_seconds": 50})))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		resp, err := p.web(secret).Do(r)
		if err != nil {
			status <- 0 // too late to be answered
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	for range 10 {
		p.raw(t, "", "GET", "/health", "", nil)
	}
	p.stop()
	select {
	case got := <-status:
		if got != 200 && got != 503 && got != 0 {
			t.Errorf("the waiting call got %d", got)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("the waiting call is still running")
	}
}

// TestLastRequest checks that during shutdown an open connection gets an answer to one more
// request, and is told that it ends; that new connections are served as well, and no call
// waits; and that the gateway does not wait for disconnected clients.
func TestLastRequest(t *testing.T) {
	t.Parallel()
	var drained atomic.Int64
	p := newPlace(t, within(func(d *gateway.Deadlines) { d.Linger = never }), func(o *gateway.Options) {
		endpoint := o.Endpoint
		o.Endpoint = func(k access.Key) gateway.Endpoint {
			e := endpoint(k)
			drain := e.Drain
			e.Drain = func() { drained.Add(1); drain() }
			return e
		}
	})
	known, late := p.key(t, "known", access.Agent), p.key(t, "late", access.Agent)
	web := p.web(known)
	type answer struct {
		status int
		last   bool // on its connection
		header http.Header
		err    error
	}
	ask := func(web *http.Client, path, body string) answer {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.address+path, strings.NewReader(body)))(t)
		if body == "" {
			r.Method = http.MethodGet
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		resp, err := web.Do(r)
		if err != nil {
			return answer{err: err}
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return answer{resp.StatusCode, resp.Close, resp.Header, err}
	}
	list := rpc("tools/list", map[string]any{})
	if a := ask(web, "/mcp", list); a.err != nil || a.status != http.StatusOK || a.last {
		t.Fatalf("before: %+v", a)
	}
	p.stop()
	bridgetest.Eventually(t, "a gateway that ends", func() bool {
		web := p.web("")
		defer web.CloseIdleConnections() // otherwise the gateway would wait for it
		a := ask(web, "/ready", "")
		return a.err == nil && a.status == http.StatusServiceUnavailable && a.last && drained.Load() == 1
	})
	if a := ask(p.web(late), "/mcp", list); a.err != nil || a.status != http.StatusOK || !a.last {
		t.Errorf("on a new connection: %+v", a)
	}
	if drained.Load() != 2 {
		t.Error("calls of a key that is used late would wait")
	}
	if a := ask(p.web(known), "/mcp", ""); a.err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a stream that begins late: %+v", a)
	}
	if a := ask(web, "/mcp", list); a.err != nil || a.status != http.StatusOK || !a.last {
		t.Errorf("the last request: %+v", a)
	}
}

// TestConnections checks that connections above the limit are closed, and existing ones
// stay open.
func TestConnections(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *gateway.Options) { o.MaxClients = 3 })
	config := &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12, ServerName: "127.0.0.1"}
	var open []net.Conn
	for range 3 {
		c, err := tls.Dial("tcp", p.address, config)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		defer func() { _ = c.Close() }()
	}
	if c, err := tls.Dial("tcp", p.address, config); err == nil {
		_ = c.Close()
		t.Error("a fourth connection was accepted")
	}
	if _, err := io.WriteString(open[0], "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(open[0])
	if err != nil || !strings.Contains(string(answer), "200 OK") {
		t.Errorf("got %q, %v", answer, err)
	}
}

// operationsOfNobody is an interface without operations.
var operationsOfNobody = reflect.TypeFor[any]()
