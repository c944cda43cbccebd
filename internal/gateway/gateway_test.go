package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/mcpserver"
)

// place is a gateway with its own store.
type place struct {
	served    bridgetest.Served
	gateway   *gateway.Gateway
	keys      *access.Service
	authority *gateway.Authority
	address   string
	roots     *x509.CertPool
	stop      context.CancelFunc
	ended     chan error
	log       *journal
}

// journal is a log that a test can read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newPlace(t testing.TB, changes ...func(*gateway.Options)) *place {
	t.Helper()
	return placeOn(t, bridgetest.NewEnv(t), changes...)
}

// placeOn starts a gateway on a store that other gateways may use as well.
func placeOn(t testing.TB, e *bridgetest.Env, changes ...func(*gateway.Options)) *place {
	t.Helper()
	served := e.Served(t, func(c *bridge.Config) { c.Now = time.Now })
	return serve(t, served, access.New(served.Service, e.Store(t), e.Key), e.Key, changes...)
}

// serve starts a gateway for a process that serves a store.
func serve(t testing.TB, served bridgetest.Served, keys *access.Service, key bridge.Key, changes ...func(*gateway.Options)) *place {
	t.Helper()
	p := &place{served: served, keys: keys, log: &journal{}, ended: make(chan error, 1)}
	p.authority = must(gateway.NewAuthority(key))(t)
	p.roots = x509.NewCertPool()
	p.roots.AppendCertsFromPEM(p.authority.PEM())
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	p.address = l.Addr().String()
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := gateway.Options{
		Keys: p.keys, Bridge: p.served, Operations: reflect.TypeFor[mcpserver.Bridge](),
		Ready:        func(ctx context.Context) error { _, err := p.served.StoreTime(ctx); return err },
		Certificates: p.authority.Issue([]string{"127.0.0.1", "localhost"}),
		Names:        []string{"127.0.0.1", "localhost"},
		Version:      "test", Log: log,
		Endpoint: func(access.Key) gateway.Endpoint {
			return endpoint(p.served, mcpserver.Options{Log: log, Bindings: binding.Folder{}})
		},
	}
	for _, change := range changes {
		change(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.gateway = gateway.New(o)
	go func() { p.ended <- p.gateway.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-p.ended; err != nil {
			t.Errorf("the gateway ended: %v", err)
		}
		if text := p.log.String(); strings.Contains(text, "panicked") {
			t.Errorf("a panic:\n%s", text)
		}
	})
	return p
}

func endpoint(b mcpserver.Bridge, o mcpserver.Options) gateway.Endpoint {
	e := mcpserver.NewEndpoint(b, o)
	return gateway.Endpoint{MCP: e.MCP, Expect: e.Expect, Settled: e.Settled, Forget: e.Forget, Drain: e.Drain, Close: e.Close}
}

// key creates an access key.
func (p *place) key(t testing.TB, name string, role access.Role) string {
	t.Helper()
	_, secret, err := p.keys.Add(t.Context(), name, role, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// web returns an HTTP client that trusts the gateway's authority.
func (p *place) web(secret string) *http.Client {
	return &http.Client{Transport: withKey{&http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12},
	}, secret}}
}

type withKey struct {
	*http.Transport
	secret string
}

func (w withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if w.secret != "" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+w.secret)
	}
	return w.Transport.RoundTrip(r)
}

// agent returns an MCP client with the given key.
func (p *place) agent(t *testing.T, secret string) *mcp.ClientSession {
	t.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: "https://" + p.address + "/mcp", HTTPClient: p.web(secret), DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// tool calls a tool and returns its data.
func tool(t *testing.T, s *mcp.ClientSession, name string, arguments map[string]any) map[string]any {
	t.Helper()
	result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil || result.IsError {
		t.Fatalf("%s: %v %v", name, err, result)
	}
	data, _ := result.StructuredContent.(map[string]any)
	return data
}

func texts(data map[string]any) (all []string) {
	messages, _ := data["messages"].([]any)
	for _, m := range messages {
		text, _ := m.(map[string]any)["message"].(string)
		all = append(all, text)
	}
	return all
}

// raw sends one request unchanged and returns status, header and body.
func (p *place) raw(t *testing.T, secret, method, path, body string, header map[string]string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+p.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	resp, err := p.web(secret).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// rpc returns a request of an older revision of the protocol.
func rpc(method string, params any) string {
	text, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	return string(text)
}

func callOf(tool string, arguments map[string]any) string {
	return rpc("tools/call", map[string]any{"name": tool, "arguments": arguments})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestTwoAgents checks that two holders of keys can talk, that each message is delivered
// once and in order, and that neither can use the sessions of the other.
func TestTwoAgents(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada, bob := p.agent(t, p.key(t, "ada", access.Agent)), p.agent(t, p.key(t, "bob", access.Operator))
	created := tool(t, ada, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
	tool(t, bob, "join_conversation", map[string]any{"join_code": created["join_code"]})
	for _, text := range []string{"first", "second", "third"} {
		tool(t, ada, "send_to_partner", map[string]any{"message": text})
	}
	got := texts(tool(t, bob, "check_messages", map[string]any{"limit": 2}))
	got = append(got, texts(tool(t, bob, "check_messages", nil))...)
	if want := []string{"first", "second", "third"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if again := texts(tool(t, bob, "check_messages", nil)); len(again) != 0 {
		t.Errorf("delivered again: %q", again)
	}
	eve := p.agent(t, p.key(t, "eve", access.Agent))
	result, err := eve.CallTool(t.Context(), &mcp.CallToolParams{Name: "check_messages"})
	if err != nil || !result.IsError {
		t.Errorf("another key's holder can read messages: %v, %v", result, err)
	}
	result, err = eve.CallTool(t.Context(), &mcp.CallToolParams{Name: "check_messages", Arguments: map[string]any{
		"conversation_id": created["conversation_id"], "session_id": "b", "token": strings.Repeat("0", 64),
	}})
	if err != nil || !result.IsError {
		t.Errorf("with ids of others: %v, %v", result, err)
	}
	last := must(p.served.AuditEntries(t.Context(), bridge.AuditQuery{Last: true, Limit: 1}))(t)
	if last[0].Outcome != bridge.OutcomeUnauthorized {
		t.Errorf("the refusal is not logged: %+v", last)
	}
	if _, err := p.served.VerifyAudit(t.Context(), must(p.served.VerifyAudit(t.Context(), zeroHead))(t)); err != nil {
		t.Error(err)
	}
}

// TestWaits checks, in both eras, that a waiting call returns as soon as a message arrives.
func TestWaits(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada, bob := p.agent(t, p.key(t, "ada", access.Agent)), p.key(t, "bob", access.Agent)
	created := tool(t, ada, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
	join := map[string]any{"join_code": created["join_code"]}
	if status, _, body := p.raw(t, bob, "POST", "/mcp", callOf("join_conversation", join), legacy); status != 200 || strings.Contains(body, `"isError":true`) {
		t.Fatalf("join: %d %s", status, body)
	}
	answered := make(chan string, 1)
	go func() {
		_, _, body := p.raw(t, bob, "POST", "/mcp", callOf("check_messages", map[string]any{"wait_seconds": 50}), legacy)
		answered <- body
	}()
	tool(t, ada, "send_to_partner", map[string]any{"message": "are you there"})
	select {
	case body := <-answered:
		if !strings.Contains(body, "are you there") {
			t.Errorf("got %s", body)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("the waiting call did not return")
	}
}

var legacy = map[string]string{"Mcp-Protocol-Version": "2025-06-18"}

// TestLostAnswer checks that messages in an answer that the client did not receive are
// delivered again, marked as redelivered unless they never left the gateway.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada, secret := p.agent(t, p.key(t, "ada", access.Agent)), p.key(t, "bob", access.Agent)
	bob := p.agent(t, secret)
	created := tool(t, ada, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
	tool(t, bob, "join_conversation", map[string]any{"join_code": created["join_code"]})
	for n := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+p.address+"/mcp",
				strings.NewReader(callOf("check_messages", map[string]any{"wait_seconds": 50})))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json, text/event-stream")
			if resp, err := p.web(secret).Do(r); err == nil {
				_ = resp.Body.Close()
			}
		}()
		waiting(t, p, n)
		cancel()
		<-gone
		text := strings.Repeat("m", n+1)
		tool(t, ada, "send_to_partner", map[string]any{"message": text})
		got := texts(tool(t, bob, "check_messages", map[string]any{"wait_seconds": 30}))
		if !reflect.DeepEqual(got, []string{text}) {
			t.Fatalf("after a client that went away: %q", got)
		}
	}
}

// broken is a connection whose writes fail, either immediately or after everything was
// written.
type broken struct {
	header   http.Header
	onWrite  error
	onFlush  error
	received bytes.Buffer
}

func (b *broken) Header() http.Header { return b.header }
func (b *broken) WriteHeader(int)     {}
func (b *broken) FlushError() error   { return b.onFlush }

func (b *broken) Write(p []byte) (int, error) {
	if b.onWrite != nil {
		return 0, b.onWrite
	}
	return b.received.Write(p)
}

// TestUnwrittenAnswer checks that messages in an answer that was not written completely are
// delivered again immediately, marked as redelivered, and those of a complete answer are
// not.
func TestUnwrittenAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada, secret := p.agent(t, p.key(t, "ada", access.Agent)), p.key(t, "bob", access.Agent)
	created := tool(t, ada, "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
	p.raw(t, secret, "POST", "/mcp", callOf("join_conversation", map[string]any{"join_code": created["join_code"]}), legacy)
	tool(t, ada, "send_to_partner", map[string]any{"message": "hello there"})
	check := func(w *broken) string {
		w.header = http.Header{}
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.address+"/mcp",
			strings.NewReader(callOf("check_messages", map[string]any{}))))(t)
		r.RemoteAddr, r.TLS = "127.0.0.1:1", &tls.ConnectionState{}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"Authorization": "Bearer " + secret, "Mcp-Protocol-Version": "2025-06-18",
		} {
			r.Header.Set(name, value)
		}
		p.gateway.ServeHTTP(w, r)
		return w.received.String()
	}
	check(&broken{onWrite: io.ErrClosedPipe})
	if got := check(&broken{onFlush: io.ErrClosedPipe}); !strings.Contains(got, "hello there") || !strings.Contains(got, `"redelivered":true`) {
		t.Errorf("after an answer that was not written: %s", got)
	}
	if got := check(&broken{}); !strings.Contains(got, "hello there") {
		t.Errorf("after an answer that was not written to its end: %s", got)
	}
	if got := check(&broken{}); strings.Contains(got, "hello there") {
		t.Errorf("after one that was written: %s", got)
	}
}

// waiting gives a concurrently sent request time to arrive; the test is valid even if it
// has not.
func waiting(t *testing.T, p *place, n int) {
	t.Helper()
	for range n * 3 {
		p.raw(t, "", "GET", "/health", "", nil)
	}
}
