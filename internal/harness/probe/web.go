package probe

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/local"
)

// handshake is the first request that a page in a browser would send.
const handshake = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bridge-harness","version":"1"}}}`

const foreign = "attacker.invalid"

// Web calls a server over HTTP as a page of a foreign site would (by its Origin), and as a
// page whose host name resolves to this machine (by its Host). A server must always refuse
// the first, and must refuse the second if it listens on this machine only.
func Web(ctx context.Context, address string, headers map[string]string) (found []finding.Finding) {
	target, err := url.Parse(address)
	if err != nil || address == "" {
		return nil
	}
	if accepts(ctx, address, headers, func(r *http.Request) { r.Header.Set("Origin", "https://"+foreign) }) {
		found = append(found, finding.Finding{Kind: finding.ForeignOrigin, Text: "the server answers a page of another site: it must refuse an unknown Origin with status 403"})
	}
	if local.Host(target.Hostname()) && accepts(ctx, address, headers, func(r *http.Request) { r.Host = foreign }) {
		found = append(found, finding.Finding{Kind: finding.ForeignOrigin, Text: "the server answers under a host name that is not its own, so a page can reach it by DNS rebinding"})
	}
	return found
}

// accepts reports whether the server answers a handshake successfully.
func accepts(ctx context.Context, address string, headers map[string]string, change func(*http.Request)) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(handshake))
	if err != nil {
		return false
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	change(r)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	head, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return answer.StatusCode/100 == 2 && strings.Contains(string(head), `"result"`)
}
