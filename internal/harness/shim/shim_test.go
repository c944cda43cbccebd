package shim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/process"
	"example.org/bridge/internal/harness/shim"
	"example.org/bridge/internal/harness/wire"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv("FAULTY") != "":
		os.Exit(faultytest.Main())
	case os.Getenv("TALKER") != "":
		talk(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// talk is a server that repeats what it was sent, and sends more on request.
func talk(in io.Reader, out io.Writer) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		_ = json.Unmarshal(lines.Bytes(), &m)
		switch m.Method {
		case "initialize":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"pid":%d}}`, m.ID, os.Getpid())
		case "notes":
			say("a stray line")
			say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}`)
			say(`{"jsonrpc":"2.0","id":%s,"result":{"html":"<b>&"}}`, m.ID)
		case "subscriptions/listen":
			say(`{"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}`, m.ID)
		case "alone":
			say(`{"jsonrpc":"2.0","method":"notifications/alone"}`)
		case "tools/list":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"t","inputSchema":{"properties":{"region":{"x-mcp-header":"Region"},"deep":{"properties":{"n":{"x-mcp-header":"N"}}}}}}]}}`, m.ID)
		case "gone":
			say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"there is no such method"}}`, m.ID)
		case "never":
			say(`{"jsonrpc":"2.0","method":"notifications/taken"}`)
		case "end":
			return
		case "notifications/cancelled":
			say(`{"jsonrpc":"2.0","method":"notifications/heard","params":%s}`, m.Params)
		default:
			say(`{"jsonrpc":"2.0","id":%s,"result":{"line":%q}}`, m.ID, lines.Text())
		}
	}
}

// offer starts a shim for this test binary, which a variable tells to act as the server.
func offer(t *testing.T, as string, args ...string) *httptest.Server {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := shim.New(process.Spec{Command: append([]string{program}, args...), Env: map[string]string{as: "1"}})
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		s.Close()
		server.Close()
	})
	return server
}

type client struct {
	t       *testing.T
	url     string
	session string
}

// reply is a response whose body has not been read; it is closed when the test ends.
type reply struct {
	status int
	header http.Header
	body   io.Reader
}

func (c client) do(ctx context.Context, method, body string, headers ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.session != "" {
		req.Header.Set("Mcp-Session-Id", c.session)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = resp.Body.Close() })
	return reply{resp.StatusCode, resp.Header, resp.Body}
}

func (c client) text(method, body string, headers ...string) (status int, text string) {
	c.t.Helper()
	resp := c.do(c.t.Context(), method, body, headers...)
	data, err := io.ReadAll(resp.body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.status, strings.TrimSpace(string(data))
}

// begin performs the handshake of the older revisions.
func begin(t *testing.T, url string) (c client, pid string) {
	t.Helper()
	c = client{t: t, url: url}
	resp := c.do(t.Context(), http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"initialize"}`)
	c.session = resp.header.Get("Mcp-Session-Id")
	data, err := io.ReadAll(resp.body)
	if err != nil || c.session == "" {
		t.Fatalf("%v, session %q", err, c.session)
	}
	return c, string(data)
}

func TestMessagesStayAsTheyAre(t *testing.T) {
	server := offer(t, "TALKER")
	c, _ := begin(t, server.URL)
	status, text := c.text(http.MethodPost, "{\"jsonrpc\":\"2.0\",\n\"id\":\"mine\",\"method\":\"x\",\"params\":{\"a\":\"<\"}}")
	if status != 200 || !strings.Contains(text, `"id":"mine"`) || !strings.Contains(text, `\"params\":{\"a\":\"<\"}`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := c.text(http.MethodPost, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); status != http.StatusAccepted || text != "" {
		t.Errorf("a notification: %d %q", status, text)
	}
	// Messages before the answer make the response a stream; stray lines are not sent.
	status, text = c.text(http.MethodPost, `{"jsonrpc":"2.0","id":7,"method":"notes"}`)
	want := "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"p\",\"progress\":1}}\n\n" +
		`event: message` + "\n" + `data: {"id":7,"jsonrpc":"2.0","result":{"html":"<b>&"}}`
	if status != 200 || text != want {
		t.Errorf("%d %s", status, text)
	}
}

func TestSessions(t *testing.T) {
	server := offer(t, "TALKER")
	a, pidA := begin(t, server.URL)
	b, pidB := begin(t, server.URL)
	if pidA == pidB {
		t.Errorf("two clients share a process: %s", pidA)
	}
	if status, _ := a.text(http.MethodDelete, ""); status != http.StatusNoContent {
		t.Errorf("DELETE: %d", status)
	}
	if status, _ := a.text(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"x"}`); status != http.StatusNotFound {
		t.Errorf("a session that has ended: %d", status)
	}
	if status, _ := b.text(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"x"}`); status != 200 {
		t.Errorf("the other session: %d", status)
	}
	// When a server ends, pending and later requests are answered.
	for range 2 {
		if status, text := b.text(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"end"}`); status != 200 || !strings.Contains(text, "-32603") {
			t.Errorf("a server that ended: %d %s", status, text)
		}
	}
}

func TestRefusals(t *testing.T) {
	server := offer(t, "TALKER")
	c := client{t: t, url: server.URL}
	call := `{"jsonrpc":"2.0","id":1,"method":"x"}`
	for _, tt := range []struct {
		name, method, body string
		headers            []string
		want               int
	}{
		{"foreign host", "POST", call, []string{"Host", "evil.example"}, 403},
		{"foreign origin", "POST", call, []string{"Origin", "https://evil.example"}, 403},
		{"null origin", "POST", call, []string{"Origin", "null"}, 403},
		{"no session", "POST", call, nil, 400},
		{"unknown session", "POST", call, []string{"Mcp-Session-Id", "x"}, 404},
		{"unknown session listens", "GET", "", []string{"Mcp-Session-Id", "x"}, 404},
		{"nobody listens", "GET", "", nil, 404},
		{"nobody ends", "DELETE", "", nil, 404},
		{"no JSON", "POST", "{", nil, 400},
		{"nothing", "POST", "", nil, 400},
		{"a batch", "POST", "[" + call + "]", nil, 400},
		{"a text", "POST", `"x"`, nil, 400},
		{"another method", "PUT", call, nil, 405},
		{"too large", "POST", `{"x":"` + strings.Repeat("x", 9<<20) + `"}`, nil, 413},
	} {
		if status, text := c.text(tt.method, tt.body, tt.headers...); status != tt.want {
			t.Errorf("%s: %d %.80s, want %d", tt.name, status, text, tt.want)
		}
	}
}

const modernMeta = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// TestShared checks that clients of the newest revision share a process, may use the same
// ids, and get their own answers.
func TestShared(t *testing.T) {
	server := offer(t, "TALKER")
	c := client{t: t, url: server.URL}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"x%d","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, i)
			if status, text := c.text(http.MethodPost, body); status != 200 || !strings.Contains(text, fmt.Sprintf(`\"method\":\"x%d\"`, i)) || !strings.Contains(text, `"id":1`) {
				t.Errorf("%d: %d %s", i, status, text)
			}
		})
	}
	all.Wait()
	// A subscription is reported under its own id, and ends when its client disconnects.
	ctx, cancel := context.WithCancel(t.Context())
	resp := c.do(ctx, http.MethodPost, `{"jsonrpc":"2.0","id":"sub","method":"subscriptions/listen","params":{"_meta":`+modernMeta+`}}`, "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "subscriptions/listen")
	lines := bufio.NewScanner(resp.body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if !strings.Contains(lines.Text(), `"io.modelcontextprotocol/subscriptionId":"sub"`) {
		t.Errorf("the subscription was told %s", lines.Text())
	}
	cancel()
}

// TestListen checks that messages that belong to no request reach the listening client.
func TestListen(t *testing.T) {
	server := offer(t, "TALKER")
	c, _ := begin(t, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c.text(http.MethodPost, `{"jsonrpc":"2.0","method":"alone"}`)
	resp := c.do(ctx, http.MethodGet, "")
	lines := bufio.NewScanner(resp.body)
	hears(t, lines, `{"jsonrpc":"2.0","method":"notifications/alone"}`)
	// A client that disconnects before the answer, when the server already has its request,
	// cancels the request by the server's number.
	gone, leave := context.WithCancel(ctx)
	defer leave()
	begun := c.do(gone, http.MethodPost, `{"jsonrpc":"2.0","id":"z","method":"never"}`)
	hears(t, bufio.NewScanner(begun.body), `{"jsonrpc":"2.0","method":"notifications/taken"}`)
	leave()
	hears(t, lines, `{"jsonrpc":"2.0","method":"notifications/heard","params":{"requestId":2}}`)
}

// hears reads one event of a stream.
func hears(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if lines.Text() != "data: "+want {
		t.Errorf("heard %q", lines.Text())
	}
}

// TestSameAsNative checks that the harness sees the same through the shim as when the
// server uses HTTP itself, in each revision.
func TestSameAsNative(t *testing.T) {
	server := offer(t, "FAULTY")
	for _, revision := range wire.Revisions {
		conn, err := wire.Open(t.Context(), wire.Target{URL: server.URL, Revision: revision, StartTimeout: 30 * time.Second})
		if err != nil {
			t.Fatalf("%s: %v", revision, err)
		}
		list, err := conn.List(t.Context(), "tools/list", "tools")
		if err != nil || len(list) != 5 || conn.Revision != revision {
			t.Errorf("%s: %d tools at %s, %v", revision, len(list), conn.Revision, err)
		}
		answer, err := conn.Call(t.Context(), "tools/call", map[string]any{"name": "add", "arguments": map[string]any{"a": 1, "b": 2}})
		if err != nil || !strings.Contains(string(answer.Result), `"sum":3`) {
			t.Errorf("%s: %s, %v", revision, answer.Result, err)
		}
		conn.Close()
		if found := conn.Findings(); len(found) > 0 {
			t.Errorf("%s: found %v", revision, found)
		}
	}
	if !slices.Contains(wire.Revisions, wire.Modern) {
		t.Error("the newest revision was not tried")
	}
}
