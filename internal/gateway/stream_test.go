package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
)

// event is an event of a stream: a message of the protocol, or a comment.
type event struct {
	message map[string]any
	comment string
}

// events is a stream that a test reads. The channel is closed at the stream's end.
type events struct {
	t      *testing.T
	all    chan event
	cancel context.CancelFunc
	header http.Header
}

// open sends a request whose answer is a stream. status is the status of the answer if it
// is refused.
func (p *place) open(t *testing.T, secret, method, body string, header map[string]string) (e *events, status int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, method, "https://"+p.address+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := p.web(secret).Do(r) //nolint:bodyclose // by the cleanup below
	if err != nil {
		t.Fatal(err)
	}
	e = &events{t: t, all: make(chan event, 1000), cancel: cancel, header: resp.Header}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(e.all)
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var message map[string]any
				if json.Unmarshal([]byte(data), &message) == nil {
					e.all <- event{message: message}
				}
			} else if strings.HasPrefix(lines.Text(), ":") {
				e.all <- event{comment: lines.Text()}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = resp.Body.Close()
		<-read
	})
	return e, resp.StatusCode
}

// next waits for the next message; ok is false at the end of the stream.
func (e *events) next() (message map[string]any, ok bool) {
	e.t.Helper()
	tooLong := time.After(bridgetest.PollTimeout)
	for {
		select {
		case each, open := <-e.all:
			if each.message != nil || !open {
				return each.message, open
			}
		case <-tooLong:
			e.t.Fatal("no event arrived, and the stream did not end")
		}
	}
}

// want waits for a notification and compares its parameters as JSON.
func (e *events) want(method, params string) {
	e.t.Helper()
	message, ok := e.next()
	got, _ := json.Marshal(message["params"])
	if !ok || message["method"] != method || string(got) != params {
		e.t.Fatalf("got %v, want %s %s", message, method, params)
	}
}

// ends waits for the end of a stream and returns the events before it.
func (e *events) ends() (all []map[string]any) {
	e.t.Helper()
	for message, ok := e.next(); ok; message, ok = e.next() {
		all = append(all, message)
	}
	return all
}

const updated = "notifications/resources/updated"

// listenHeader is the header of subscriptions/listen, which every request of the revision
// needs.
func listenHeader() map[string]string {
	return map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
}

func listenBody(id any, wanted map[string]any) string {
	text, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": map[string]any{
		"notifications": wanted,
		"_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
			"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "raw", "version": "1"},
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		},
	}})
	return string(text)
}

func (p *place) listen(t *testing.T, secret string, id any, uris ...string) *events {
	t.Helper()
	e, status := p.open(t, secret, "POST", listenBody(id, map[string]any{"resourceSubscriptions": uris}), listenHeader())
	if status != 200 || e.header.Get("Content-Type") != "text/event-stream" || e.header.Get("X-Accel-Buffering") != "no" || e.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("listen: %d %v", status, e.header)
	}
	return e
}

// pairOf creates a conversation whose session a is remembered for a key, and returns its
// credentials by session.
func (p *place) pairOf(t *testing.T, secret string) bridgetest.Pair {
	t.Helper()
	made := tool(t, p.agent(t, secret), "create_conversation", map[string]any{"my_role": "one", "partner_role": "two"})
	text := func(name string) string { s, _ := made[name].(string); return s }
	of := func(session string) bridge.Credentials {
		return bridge.Credentials{Conversation: text("conversation_id"), Session: bridge.SessionID(session), Token: text("session_" + session + "_token")}
	}
	return bridgetest.Pair{A: of("a"), B: of("b")}
}

func setStatus(t *testing.T, p *place, c bridge.Credentials, status bridge.Status) {
	t.Helper()
	if _, err := p.served.UpdateStatus(t.Context(), c, status); err != nil {
		t.Fatal(err)
	}
}

// TestListen checks, for revision 2026-07-28, that a change is reported under the request's
// id as the client wrote it, that a single URI outside the key's reach causes the whole
// request to be refused, that comments are sent while nothing happens, and that a stream
// ends with its result when its time is over.
func TestListen(t *testing.T) {
	t.Parallel()
	p := newPlace(t, within(func(d *gateway.Deadlines) { d.Beat = 20 * time.Millisecond }))
	ada, eve := p.key(t, "ada", access.Agent), p.key(t, "eve", access.Agent)
	pair := p.pairOf(t, ada)
	uri := "agents://" + pair.A.Conversation + "/b/status"
	for who, secret := range map[string]string{"a stranger": eve, "a readable URI together with a foreign one": ada} {
		body := listenBody(7, map[string]any{"resourceSubscriptions": []string{uri, "collaboration://conv_0123456789abcdef"}})
		if status, _, text := p.raw(t, secret, "POST", "/mcp", body, listenHeader()); status != 400 || !strings.Contains(text, `"id":7`) || !strings.Contains(text, "not yours") {
			t.Errorf("%s: %d %s", who, status, text)
		}
	}
	one, two := p.listen(t, ada, "first", uri), p.listen(t, ada, 9007199254740993, uri)
	for e, id := range map[*events]string{one: `"first"`, two: `9007199254740993`} {
		message, _ := e.next()
		if text, _ := json.Marshal(message["params"]); message["method"] != "notifications/subscriptions/acknowledged" || !strings.Contains(string(text), uri) {
			t.Fatalf("%s is acknowledged with %v", id, message)
		}
	}
	setStatus(t, p, pair.B, bridge.StatusBlocked)
	one.want(updated, `{"_meta":{"io.modelcontextprotocol/subscriptionId":"first"},"uri":"`+uri+`"}`)
	message, _ := two.next()
	if message["method"] != updated {
		t.Errorf("the second is told %v", message)
	}
	if each := <-one.all; each.comment == "" {
		t.Errorf("a stream on which nothing happens has %v", each)
	}
	one.cancel() // cancelling one must not affect the other
	setStatus(t, p, pair.B, bridge.StatusWaiting)
	if message, _ := two.next(); message["method"] != updated {
		t.Errorf("the second is told %v", message)
	}
	if got := p.batchOf(t, ada); got != 400 {
		t.Errorf("in a batch: %d", got)
	}
}

func (p *place) batchOf(t *testing.T, secret string) int {
	t.Helper()
	header := maps.Clone(listenHeader())
	header["Mcp-Protocol-Version"] = "2025-03-26"
	status, _, _ := p.raw(t, secret, "POST", "/mcp", "["+listenBody(1, map[string]any{})+"]", header)
	return status
}

// TestStreamsEnd checks that a stream has a limited lifetime and ends with its gateway, and
// that the request of revision 2026-07-28 is then answered.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*place{
		"time":  newPlace(t, within(func(d *gateway.Deadlines) { d.Stream = short })),
		"drain": newPlace(t),
	} {
		t.Run(name, func(t *testing.T) {
			secret := p.key(t, "ada", access.Agent)
			pair := p.pairOf(t, secret)
			listening := p.listen(t, secret, 1, "collaboration://"+pair.A.Conversation)
			reading, status := p.open(t, secret, "GET", "", map[string]string{"Mcp-Session-Id": "x"})
			if status != 200 {
				t.Fatalf("GET: %d", status)
			}
			if message, _ := listening.next(); message["method"] != "notifications/subscriptions/acknowledged" {
				t.Fatalf("acknowledged: %v", message)
			}
			if name == "drain" {
				p.stop()
			}
			if all := listening.ends(); len(all) != 1 || all[0]["result"] == nil || all[0]["id"] != float64(1) {
				t.Errorf("the request is answered with %v", all)
			}
			if all := reading.ends(); len(all) != 0 {
				t.Errorf("the stream of GET ends with %v", all)
			}
		})
	}
}

// initialized returns a client of an older revision: the name that the gateway assigned.
func (p *place) initialized(t *testing.T, secret string) map[string]string {
	t.Helper()
	status, header, body := p.raw(t, secret, "POST", "/mcp", rpc("initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "raw", "version": "1"},
	}), nil)
	name := header.Get("Mcp-Session-Id")
	if status != 200 || len(name) < 20 || !strings.Contains(body, `"subscribe":true`) {
		t.Fatalf("initialize: %d %v %s", status, header, body)
	}
	return map[string]string{"Mcp-Session-Id": name, "Mcp-Protocol-Version": "2025-11-25"}
}

// follow subscribes to a URI as the client that header names.
func (p *place) follow(t *testing.T, secret, uri string, header map[string]string) string {
	t.Helper()
	status, _, body := p.raw(t, secret, "POST", "/mcp", rpc("resources/subscribe", map[string]any{"uri": uri}), header)
	if status != 200 {
		t.Fatalf("subscribe: %d %s", status, body)
	}
	return body
}

// TestStreamBefore2026 checks that a client receives by GET the changes it subscribed to,
// while another client with the same key, or another key with the same client name, does
// not. Changes before a stream is opened, or between two streams, are reported by the next
// one. DELETE ends everything.
func TestStreamBefore2026(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada, eve := p.key(t, "ada", access.Agent), p.key(t, "eve", access.Agent)
	pair := p.pairOf(t, ada)
	uri := "agents://" + pair.A.Conversation + "/b/status"
	one, other := p.initialized(t, ada), p.initialized(t, ada)
	get := func(secret string, header map[string]string) *events {
		t.Helper()
		e, status := p.open(t, secret, "GET", "", header)
		if status != 200 || e.header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("GET: %d %v", status, e.header)
		}
		return e
	}
	if body := p.follow(t, eve, uri, one); !strings.Contains(body, "not yours") {
		t.Errorf("a stranger subscribes: %s", body)
	}
	strange, beside := get(eve, one), get(ada, other)
	if body := p.follow(t, ada, uri, one); !strings.Contains(body, `"result":{}`) {
		t.Fatalf("subscribe: %s", body)
	}
	setStatus(t, p, pair.B, bridge.StatusBlocked)
	first := get(ada, one)
	first.want(updated, `{"uri":"`+uri+`"}`)
	second := get(ada, one)
	if all := first.ends(); len(all) != 0 {
		t.Errorf("the stream that another replaces ends with %v", all)
	}
	setStatus(t, p, pair.B, bridge.StatusWaiting)
	second.want(updated, `{"uri":"`+uri+`"}`)
	if status, _, _ := p.raw(t, ada, "DELETE", "/mcp", "", one); status != 204 {
		t.Errorf("DELETE: %d", status)
	}
	if all := second.ends(); len(all) != 0 {
		t.Errorf("behind DELETE: %v", all)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if status, _, _ := p.raw(t, ada, method, "/mcp", rpc("tools/list", nil), one); status != 404 {
			t.Errorf("%s behind DELETE: %d", method, status)
		}
	}
	// The other clients receive nothing until they subscribe themselves.
	p.follow(t, ada, uri, other)
	setStatus(t, p, pair.B, bridge.StatusComplete)
	beside.want(updated, `{"uri":"`+uri+`"}`)
	p.stop()
	if all := append(beside.ends(), strange.ends()...); len(all) != 0 {
		t.Errorf("also told: %v", all)
	}
}

// TestStreamsAreLimited checks that the number of streams is limited for each key
// separately.
func TestStreamsAreLimited(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret, other := p.key(t, "ada", access.Agent), p.key(t, "bob", access.Agent)
	pair := p.pairOf(t, secret)
	for n := range 65 {
		e, status := p.open(t, secret, "GET", "", map[string]string{"Mcp-Session-Id": fmt.Sprint(n)})
		if want := map[bool]int{true: 200, false: 429}[n < 64]; status != want {
			t.Errorf("stream %d: %d %v", n, status, e.header)
		}
	}
	if _, status := p.open(t, other, "GET", "", nil); status != 200 {
		t.Errorf("another key: %d", status)
	}
	if _, status := p.open(t, other, "GET", "", map[string]string{"Accept": "application/json"}); status != 406 {
		t.Errorf("GET for JSON: %d", status)
	}
	uri := "collaboration://" + pair.A.Conversation
	for n := range 16 {
		if message, _ := p.listen(t, secret, n, uri).next(); message["method"] != "notifications/subscriptions/acknowledged" {
			t.Errorf("listen %d: %v", n, message)
		}
	}
	body := listenBody(16, map[string]any{"resourceSubscriptions": []string{uri}})
	if status, _, text := p.raw(t, secret, "POST", "/mcp", body, listenHeader()); status != 400 || !strings.Contains(text, "too many") {
		t.Errorf("one listen more: %d %s", status, text)
	}
}

// TestStreamsOfARevokedKey checks that on every gateway of a store, streams end when their
// key is revoked, and those of other keys do not.
func TestStreamsOfARevokedKey(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	gateways := []*place{placeOn(t, e), placeOn(t, e)}
	secret, other := gateways[0].key(t, "ada", access.Agent), gateways[0].key(t, "bob", access.Agent)
	var ending, going []*events
	for _, p := range gateways {
		pair := p.pairOf(t, secret)
		listening := p.listen(t, secret, 1, "collaboration://"+pair.A.Conversation)
		if message, _ := listening.next(); message["method"] != "notifications/subscriptions/acknowledged" {
			t.Fatalf("acknowledged: %v", message)
		}
		reading, _ := p.open(t, secret, "GET", "", nil)
		beside, _ := p.open(t, other, "GET", "", nil)
		ending, going = append(ending, listening, reading), append(going, beside)
	}
	if _, _, err := gateways[0].keys.Revoke(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for _, each := range ending {
		for _, message := range each.ends() {
			if message["method"] != nil {
				t.Errorf("behind the revocation: %v", message)
			}
		}
	}
	for _, each := range going {
		select {
		case got, ok := <-each.all:
			t.Errorf("the stream of another key: %v %v", got, ok)
		default:
		}
	}
}

// TestOutletIsBounded checks that identical notifications are queued once, and that the
// outlet closes at a limit if nobody reads.
func TestOutletIsBounded(t *testing.T) {
	t.Parallel()
	o, waiting := gateway.NewOutlet()
	for range 1000 {
		if !o.Notify(updated, map[string]any{"uri": "same"}) {
			t.Fatal("the same is refused")
		}
	}
	if n := waiting(); n != 1 {
		t.Errorf("the same waits %d times", n)
	}
	taken := 1
	for ; o.Notify(updated, map[string]any{"uri": fmt.Sprint(taken)}); taken++ {
		if taken > 1000 {
			t.Fatal("everything is kept")
		}
	}
	select {
	case <-o.Closing():
	default:
		t.Error("the outlet goes on")
	}
	if n := waiting(); n != taken {
		t.Errorf("%d are queued, %d were taken", n, taken)
	}
	if o.Notify(updated, map[string]any{"uri": "same"}) {
		t.Error("something is accepted after the end")
	}
}
