package cli_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/keyfile"
)

// tap is a proxy between a machine and a gateway, with a certificate that the machine
// accepts. It records everything that either side sends except the access key.
type tap struct {
	address string

	mu   sync.Mutex
	said bytes.Buffer
}

func (i *installation) tap(t *testing.T, to string) *tap {
	t.Helper()
	key, err := keyfile.Load(keyfile.Beside(i.db))
	if err != nil {
		t.Fatal(err)
	}
	authority, err := gateway.NewAuthority(key)
	if err != nil {
		t.Fatal(err)
	}
	own := authority.Issue([]string{operation.ServerName})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tapped := &tap{address: l.Addr().String()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: to})
			r.Out.Host = r.In.Host
			r.Out.Body = tapped.keep(t, r.In.URL.Path, r.In.Body)
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = tapped.keep(t, "answer", r.Body)
			return nil
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // the test's own gateway
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own.Certificate() },
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return tapped
}

// keep reads a body completely and returns a new one with the same content.
func (p *tap) keep(t *testing.T, name string, body io.ReadCloser) io.ReadCloser {
	text, err := io.ReadAll(body)
	if err != nil {
		t.Logf("%s was cut off: %v", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.WriteString(name + " " + string(text) + "\n")
	return io.NopCloser(bytes.NewReader(text))
}

func (p *tap) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// TestCanariesBehindGateway checks that secrets that an agent writes on a machine that
// only connects appear neither on the wire, nor in the store and its write-ahead log,
// nor in the logs of machine and gateway; and that tokens and keys appear in no log.
func TestCanariesBehindGateway(t *testing.T) {
	t.Parallel()
	store := install(t)
	g := store.gateway(t)
	address, _ := g.address.Load().(string)
	wire := store.tap(t, address)
	laptop := store.machine(t)
	laptop.env = append(laptop.env, "BRIDGE_LOG_LEVEL=debug")
	join, err := store.command("access", "add", "laptop", "--gateway", wire.address).Output()
	if err != nil {
		t.Fatal(err)
	}
	connect := laptop.command("connect")
	connect.Stdin = bytes.NewReader(join)
	if out, err := connect.CombinedOutput(); err != nil {
		t.Fatalf("connect: %v\n%s", err, out)
	}

	text := map[string]string{
		"role": "Rp7" + randomText(12, letters), "AWS key": "AKIA" + randomText(16, upper), "GitHub token": "ghp_" + randomText(36, letters),
		"password": "Xy7" + randomText(12, letters), "file name": "Zq9" + randomText(12, letters), "task": "ghp_" + randomText(36, letters),
		"claim": "ghp_" + randomText(36, letters), "shared file": "AKIA" + randomText(16, upper), "step": "ghp_" + randomText(36, letters),
	}
	var log bytes.Buffer
	serve := laptop.command("serve", "--tools", "core,tasks,files")
	serve.Stderr = &log
	agent := mustStart(t, serve, bridge.Credentials{})
	created := agent.mustCall(t, "create_conversation", map[string]any{"my_role": "backend, password=" + text["role"], "partner_role": "frontend"})
	joiner := laptop.mustConnect(t, bridge.Credentials{})
	joined := joiner.mustCall(t, "join_conversation", map[string]any{"join_code": created["join_code"]})
	agent.mustCall(t, "send_to_partner", map[string]any{
		"message":        "The plain word. The key is " + text["AWS key"] + ", " + text["GitHub token"] + ", password: " + text["password"],
		"files_involved": []string{"config?password=" + text["file name"]},
	})
	agent.mustCall(t, "assign_task", map[string]any{"title": "Use it", "body": "with " + text["task"]})
	agent.mustCall(t, "claim_file", map[string]any{"paths": []string{"src/*.go"}, "reason": "because of " + text["claim"]})
	agent.mustCall(t, "file_write", map[string]any{"path": "notes.md", "text": "key " + text["shared file"]})
	agent.mustCall(t, "log_step", map[string]any{"text": "tried " + text["step"]})
	joiner.mustCall(t, "check_messages", nil)
	_ = agent.Close() // the log is complete once it has ended

	said := wire.String()
	token, _ := joined["token"].(string)
	for _, there := range []string{"The plain word", "GITHUB_TOKEN_REDACTED", token} { // the tap records, and this search finds
		if !strings.Contains(said, there) {
			t.Fatalf("%.20q is not in what went over the wire", there)
		}
	}
	for name, secret := range text {
		if strings.Contains(said, secret) {
			t.Errorf("%s went over the wire", name)
		}
	}
	search(t, laptop.dir, text)
	all := map[string]string{"token of a": created["session_a_token"].(string), "token of b": token, "join code": created["join_code"].(string)}
	_, all["access key"], _ = strings.Cut(strings.TrimSpace(string(join)), "brk_")
	for name, secret := range text {
		all[name] = secret
	}
	search(t, store.dir, all)
	g.kill()
	for name, secret := range all {
		for where, written := range map[string]string{"the machine's log": log.String(), "the gateway's log": g.log.String()} {
			if strings.Contains(written, secret) {
				t.Errorf("%s is in %s", name, where)
			}
		}
	}
}
