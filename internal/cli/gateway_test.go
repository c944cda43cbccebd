package cli_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/bridge/internal/bridgetest"
)

// runningGateway is `bridge gateway`, which can be killed and restarted.
type runningGateway struct {
	place   *installation
	listen  string                    // empty: any port
	slow    func(*exec.Cmd) *exec.Cmd // nil: the command is started directly
	roots   *x509.CertPool
	process *exec.Cmd
	address atomic.Value // string
	log     strings.Builder
	reading sync.WaitGroup
}

func (i *installation) gateway(t testing.TB) *runningGateway {
	t.Helper()
	i.run(t, "serve")
	g := &runningGateway{place: i, roots: i.authority(t)}
	g.start(t)
	t.Cleanup(g.kill)
	return g
}

// authority returns the certificates that clients of the store's gateways trust.
func (i *installation) authority(t testing.TB) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(i.run(t, "access", "authority"))) {
		t.Fatal("no certificate")
	}
	return roots
}

var listens = regexp.MustCompile(`msg="the gateway listens" address=(\S+)`)

func (g *runningGateway) start(t testing.TB) {
	t.Helper()
	g.process = g.place.command("gateway", "--listen", cmp.Or(g.listen, "127.0.0.1:0"), "--log-format", "text", "--log-level", "debug")
	if g.slow != nil {
		g.process = g.slow(g.process)
	}
	out, err := g.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		g.log.WriteString(lines.Text() + "\n")
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			g.address.Store(found[1])
			g.reading.Go(func() {
				for lines.Scan() {
					g.log.WriteString(lines.Text() + "\n")
				}
			})
			return
		}
	}
	t.Fatalf("the gateway did not start:\n%s", g.log.String())
}

// kill ends the gateway as a power failure would.
func (g *runningGateway) kill() {
	_ = g.process.Process.Kill()
	g.reading.Wait()
	_ = g.process.Wait()
}

// caller calls the gateway with one access key.
type caller struct {
	gateway *runningGateway
	key     string
	web     *http.Client
}

func (g *runningGateway) caller(t testing.TB, name string) *caller {
	t.Helper()
	out, err := g.place.command("access", "add", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return &caller{g, strings.TrimSpace(string(out)), &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: g.roots, MinVersion: tls.VersionTLS12},
	}}}
}

var errRefusedCall = errors.New("the call was refused")

// call calls a tool once.
func (c *caller) call(ctx context.Context, tool string, arguments map[string]any) (data map[string]any, err error) {
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": arguments},
	})
	if err != nil {
		return nil, err
	}
	address, _ := c.gateway.address.Load().(string)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+"/mcp", strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Protocol-Version", "2025-06-18")
	r.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.web.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.200s", resp.StatusCode, text)
	}
	var answer struct {
		Result struct {
			IsError           bool           `json:"isError"`
			StructuredContent map[string]any `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	if answer.Result.IsError {
		return nil, fmt.Errorf("%w: %v", errRefusedCall, answer.Result.StructuredContent)
	}
	return answer.Result.StructuredContent, nil
}

// insist calls a tool until it gets an answer.
func (c *caller) insist(ctx context.Context, tool string, arguments map[string]any) (data map[string]any, err error) {
	for {
		data, err = c.call(ctx, tool, arguments)
		if err == nil || errors.Is(err, errRefusedCall) || ctx.Err() != nil {
			return data, err
		}
		select { // the gateway is down, and takes a moment to restart
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestKilledGateway kills a gateway repeatedly under traffic. No acknowledged message
// may be lost, none may be delivered twice without a mark, the order must be kept, and
// the audit log must be intact. No key and no token may appear in the gateway's log.
func TestKilledGateway(t *testing.T) {
	t.Parallel()
	const kills, pairs = 4, 3
	place := install(t)
	g := place.gateway(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var work sync.WaitGroup
	var stopped, acknowledged atomic.Int64
	secrets := make(chan string, 4*pairs)
	for n := range pairs {
		writer, reader := g.caller(t, fmt.Sprintf("writer %d", n)), g.caller(t, fmt.Sprintf("reader %d", n))
		created, err := writer.insist(ctx, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.insist(ctx, "join_conversation", map[string]any{"join_code": created["join_code"]}); err != nil {
			t.Fatal(err)
		}
		token, _ := created["session_b_token"].(string)
		secrets <- writer.key
		secrets <- reader.key
		secrets <- token
		sent := make(chan int64, 1)
		work.Go(func() {
			var last int64
			for stopped.Load() < kills {
				_, err := writer.insist(ctx, "send_to_partner", map[string]any{
					"message": fmt.Sprint(last + 1), "idempotency_key": fmt.Sprint("n", last+1),
				})
				if err != nil {
					t.Errorf("send: %v", err)
					break
				}
				last++
				acknowledged.Add(1)
			}
			sent <- last
		})
		work.Go(func() { readAll(ctx, t, reader, n, sent) })
	}
	for n := range int64(kills) {
		until := acknowledged.Load() + 60
		bridgetest.Eventually(t, "60 more messages", func() bool { return acknowledged.Load() >= until })
		g.kill()
		g.start(t)
		stopped.Store(n + 1)
	}
	work.Wait()
	g.kill()
	if ctx.Err() != nil {
		t.Fatal("it took too long")
	}
	close(secrets)
	for secret := range secrets {
		if len(secret) > 20 && strings.Contains(g.log.String(), secret[20:]) {
			t.Error("a secret is in the gateway's log")
		}
	}
	t.Logf("%d messages acknowledged, %d kills", acknowledged.Load(), kills)
	place.run(t, "audit", "verify")
}
