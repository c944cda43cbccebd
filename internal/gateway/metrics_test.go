package gateway_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
)

const someFigures = "bridge_conversations 1\n"

// TestMetrics checks that figures are available on this machine and to keys that may watch,
// and that refusals are recorded.
func TestMetrics(t *testing.T) {
	t.Parallel()
	var broken error
	p := newPlace(t, func(o *gateway.Options) {
		o.Names = append(o.Names, "bridge.example")
		o.Figures = func(context.Context) ([]byte, error) { return []byte(someFigures), broken }
	})
	agent, viewer, operator := p.key(t, "agent", access.Agent), p.key(t, "viewer", access.Viewer), p.key(t, "operator", access.Operator)
	far := map[string]string{"Host": "bridge.example"}
	for _, test := range []struct {
		name, secret, method string
		header               map[string]string
		status               int
	}{
		{"this machine", "", "GET", nil, 200},
		{"this machine by its name", "", "GET", map[string]string{"Host": "localhost"}, 200},
		{"another name of it", "", "GET", far, 401},
		{"forwarded", "", "GET", map[string]string{"X-Forwarded-For": "203.0.113.7"}, 401},
		{"forwarded, as the standard says", "", "GET", map[string]string{"Forwarded": "for=203.0.113.7"}, 401},
		{"a wrong key, from this machine", "brk_0123456789ab_" + strings.Repeat("0", 64), "GET", nil, 401},
		{"a viewer", viewer, "GET", far, 200},
		{"an operator", operator, "GET", far, 200},
		{"an agent", agent, "GET", far, 403},
		{"rebinding", viewer, "GET", map[string]string{"Host": "evil.example"}, 421},
		{"a page of another site", viewer, "GET", map[string]string{"Origin": "https://evil.example"}, 403},
		{"another method", viewer, "POST", far, 405},
	} {
		status, header, body := p.raw(t, test.secret, test.method, "/metrics", "", test.header)
		if status != test.status || (status == 200) != (body == someFigures) {
			t.Errorf("%s: status %d, want %d: %s", test.name, status, test.status, body)
		}
		if status == 200 && (!strings.HasPrefix(header.Get("Content-Type"), "text/plain; version=0.0.4") || header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: header %v", test.name, header)
		}
	}
	if refused := p.refusals(t, "gateway_metrics"); refused < 2 {
		t.Errorf("%d refusals are in the log", refused)
	}
	broken = errors.New("no such table: secrets")
	if status, _, body := p.raw(t, viewer, "GET", "/metrics", "", far); status != 503 || strings.Contains(body, "secrets") {
		t.Errorf("broken figures: status %d: %s", status, body)
	}
}

// TestObserve checks that each call is observed with a known name, its path, and its
// outcome.
func TestObserve(t *testing.T) {
	t.Parallel()
	var turn sync.Mutex
	var seen []string
	p := newPlace(t, func(o *gateway.Options) {
		o.Operations = reflect.TypeFor[probed]()
		o.Observe = func(via, call string, failed bool, took time.Duration) {
			turn.Lock()
			defer turn.Unlock()
			if took < 0 {
				t.Errorf("%s took %s", call, took)
			}
			seen = append(seen, fmt.Sprint(via, " ", call, " ", failed))
		}
	})
	agent := p.key(t, "agent", access.Agent)
	mcp := map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
	call := func(name, arguments string) {
		p.raw(t, agent, "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+`","arguments":`+arguments+`}}`, mcp)
	}
	call("list_conversations", "{}")
	call("send_to_partner", `{"message":"x"}`)
	call("made_up_by_a_client", "{}")
	p.raw(t, agent, "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, mcp)
	p.raw(t, agent, "POST", "/api/v1/operations/CountMail", `[{"Conversation":"","Session":"","Token":""}]`, nil)
	p.raw(t, agent, "POST", "/api/v1/operations/MadeUp", "[]", nil)
	p.raw(t, "brk_wrong", "POST", "/mcp", "{}", mcp)
	want := []string{"mcp list_conversations false", "mcp send_to_partner true", "mcp other true", "api CountMail true"}
	turn.Lock()
	defer turn.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
}

// TestMetricsBehindProxy checks that a request without TLS, or from another machine, needs
// a key whatever its headers say, and that a gateway without figures says so.
func TestMetricsBehindProxy(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *gateway.Options) {
		o.Figures = func(context.Context) ([]byte, error) { return []byte(someFigures), nil }
	})
	for _, test := range []struct {
		name, from string
		tls        *tls.ConnectionState
		status     int
	}{
		{"this machine", "127.0.0.1:1", new(tls.ConnectionState), 200},
		{"this machine, IPv6", "[::1]:1", new(tls.ConnectionState), 200},
		{"without TLS", "127.0.0.1:1", nil, 401},
		{"another machine", "192.0.2.1:1", new(tls.ConnectionState), 401},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1/metrics", nil)
		r.RemoteAddr, r.TLS = test.from, test.tls
		w := httptest.NewRecorder()
		p.gateway.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: status %d, want %d", test.name, w.Code, test.status)
		}
	}
	without := newPlace(t)
	if status, _, _ := without.raw(t, "", "GET", "/metrics", "", nil); status != 404 {
		t.Errorf("a gateway without figures: status %d", status)
	}
}

// refusals counts the log entries about refusals of an action.
func (p *place) refusals(t *testing.T, action string) (n int) {
	t.Helper()
	all, err := p.served.AuditEntries(t.Context(), bridge.AuditQuery{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Action == action && e.Outcome != "ok" {
			n++
		}
	}
	return n
}

// probed lists the operations of hooks and of other programs that run alongside an agent.
type probed interface {
	operation.Beside
	CountMail(ctx context.Context, c bridge.Credentials) (bridge.Mail, error)
	Standing(ctx context.Context, c bridge.Credentials) (bridge.Standing, bool)
}

// TestProbesAreLogged checks that guessing tokens is recorded for operations that record
// nothing on a single machine, and that valid tokens and checks of a key are not recorded.
func TestProbesAreLogged(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *gateway.Options) { o.Operations = reflect.TypeFor[probed]() })
	agent := p.key(t, "agent", access.Agent)
	pair := bridgetest.NewPair(t, p.served.Service)
	right := `{"Conversation":"` + pair.A.Conversation + `","Session":"a","Token":"` + pair.A.Token + `"}`
	wrong := strings.Replace(right, pair.A.Token, strings.Repeat("0", 64), 1)
	const nobody = `{"Conversation":"","Session":"","Token":""}`
	for _, test := range []struct{ operation, action, right, wrong string }{
		{"CountMail", "count_mail", "[" + right + "]", "[" + wrong + "]"},
		{"PeekRoster", "peek_roster", "[" + right + "]", "[" + wrong + "]"},
		{"AwaitMail", "await_mail", "[" + right + ",-1]", "[" + wrong + ",0]"},
		{"Standing", "standing", "[" + right + "]", "[" + wrong + "]"},
		{"SessionOf", "session_of", `["` + pair.A.Conversation + `","` + pair.A.Token + `"]`, `["` + pair.A.Conversation + `","` + strings.Repeat("0", 64) + `"]`},
		{"JudgeChange", "judge_change", "[[" + right + `],["a.go"]]`, "[[" + wrong + `],["a.go"]]`},
		{"RecordChange", "record_change", "[[" + right + `],["a.go"]]`, "[[" + wrong + `],["a.go"]]`},
	} {
		path := "/api/v1/operations/" + test.operation
		if status, _, body := p.raw(t, agent, "POST", path, test.right, nil); status != 200 || p.refusals(t, test.action) != 0 {
			t.Errorf("%s with a good token: status %d, %d in the log: %s", test.operation, status, p.refusals(t, test.action), body)
		}
		if status, _, body := p.raw(t, agent, "POST", path, test.wrong, nil); p.refusals(t, test.action) != 1 {
			t.Errorf("%s with a wrong token: status %d, %d in the log: %s", test.operation, status, p.refusals(t, test.action), body)
		}
	}
	p.raw(t, agent, "POST", "/api/v1/operations/CountMail", "["+nobody+"]", nil)
	if n := p.refusals(t, "count_mail"); n != 1 {
		t.Errorf("a check whether a key is valid is in the log: %d", n)
	}
}
