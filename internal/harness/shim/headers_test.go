package shim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHeaders checks that, from revision 2026-07-28 on, headers that repeat parts of the
// message must match it.
func TestHeaders(t *testing.T) {
	c := client{t: t, url: offer(t, "TALKER").URL}
	const modern = "2026-07-28"
	message := func(method, params string) string {
		meta := `"_meta":` + modernMeta
		if params != "" {
			meta += "," + params
		}
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":{%s}}`, method, meta)
	}
	list := c.do(t.Context(), http.MethodPost, message("tools/list", ""), "Mcp-Protocol-Version", modern, "Mcp-Method", "tools/list")
	if list.status != http.StatusOK {
		t.Fatal(list.status)
	}
	const call = `"name":"t","arguments":{"region":"Hello","deep":{"n":5}}`
	all := []string{"Mcp-Method", "tools/call", "Mcp-Name", "t", "Mcp-Param-Region", "Hello", "Mcp-Param-N", "5"}
	with := func(more ...string) []string { return append(all[:len(all):len(all)], more...) }
	for name, tt := range map[string]struct {
		method, params string
		headers        []string
		want           int
	}{
		"all":                {"tools/call", call, all, 200},
		"base64":             {"tools/call", call, with("Mcp-Param-Region", "=?base64?SGVsbG8=?="), 200},
		"bad padding":        {"tools/call", call, with("Mcp-Param-Region", "=?base64?SGVsbG8?="), 400},
		"bad letters":        {"tools/call", call, with("Mcp-Param-Region", "=?base64?SGVs!!!bG8=?="), 400},
		"other value":        {"tools/call", call, with("Mcp-Param-Region", "hello"), 400},
		"other number":       {"tools/call", call, with("Mcp-Param-N", "6"), 400},
		"missing parameter":  {"tools/call", call, all[:6], 400},
		"no such value":      {"tools/call", `"name":"t","arguments":{"region":null,"deep":{"n":5}}`, all, 400},
		"neither":            {"tools/call", `"name":"t","arguments":{}`, all[:4], 200},
		"unknown tool":       {"tools/call", `"name":"u"`, []string{"Mcp-Method", "tools/call", "Mcp-Name", "u"}, 200},
		"other name":         {"tools/call", call, with("Mcp-Name", "T"), 400},
		"no name":            {"tools/call", call, all[:2], 400},
		"name of no text":    {"tools/call", `"name":5`, []string{"Mcp-Method", "tools/call"}, 200},
		"other method":       {"tools/call", call, with("Mcp-Method", "TOOLS/CALL"), 400},
		"no method":          {"tools/call", call, nil, 400},
		"resource":           {"resources/read", `"uri":"a://b"`, []string{"Mcp-Method", "resources/read", "Mcp-Name", "a://b"}, 200},
		"other resource":     {"resources/read", `"uri":"a://b"`, []string{"Mcp-Method", "resources/read", "Mcp-Name", "a://c"}, 400},
		"other revision":     {"ping", "", []string{"Mcp-Method", "ping", "Mcp-Protocol-Version", "2027-01-01"}, 400},
		"older, no headers":  {"ping", "", []string{"Mcp-Protocol-Version", "2025-06-18"}, 200},
		"no revision header": {"ping", "", []string{"Mcp-Protocol-Version", ""}, 200},
	} {
		answer := c.do(t.Context(), http.MethodPost, message(tt.method, tt.params), append([]string{"Mcp-Protocol-Version", modern}, tt.headers...)...)
		body, _ := io.ReadAll(answer.body)
		if answer.status != tt.want || !strings.Contains(string(body), `"id":7`) || tt.want == 400 && !strings.Contains(string(body), "-32020") {
			t.Errorf("%s: %d %s", name, answer.status, body)
		}
	}
}

// TestStatus checks that, from revision 2026-07-28 on, some errors have their own HTTP
// status, and requests identify their client.
func TestStatus(t *testing.T) {
	c := client{t: t, url: offer(t, "TALKER").URL}
	for name, tt := range map[string]struct {
		meta    string
		headers []string
		want    int
		code    string
	}{
		"no such method":  {modernMeta, []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "gone"}, 404, "-32601"},
		"older":           {modernMeta, nil, 200, "-32601"},
		"no meta":         {`{}`, []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "gone"}, 400, "-32602"},
		"no capabilities": {`{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`, []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "gone"}, 400, "-32602"},
	} {
		answer := c.do(t.Context(), http.MethodPost, `{"jsonrpc":"2.0","id":7,"method":"gone","params":{"_meta":`+tt.meta+`}}`, tt.headers...)
		body, _ := io.ReadAll(answer.body)
		if answer.status != tt.want || !strings.Contains(string(body), tt.code) {
			t.Errorf("%s: %d %s", name, answer.status, body)
		}
	}
	answer := c.do(t.Context(), http.MethodPost, `{"jsonrpc":"2.0","id":7,"method":"x"}`, "Accept", "application/json, text/event-stream", "Mcp-Session-Id", session(t, c))
	if got := answer.header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("a client that accepts a stream got %s", got)
	}
}

// session performs a handshake and returns its session.
func session(t *testing.T, c client) string {
	t.Helper()
	return c.do(t.Context(), http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`).header.Get("Mcp-Session-Id")
}
