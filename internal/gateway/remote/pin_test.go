package remote_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// stranger has its own keys and certificates.
type stranger struct{ key *ecdsa.PrivateKey }

func newStranger(t *testing.T) stranger {
	t.Helper()
	return stranger{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}
}

// certificate signs a certificate for the gateway's name with the stranger's key, with the
// name of issuer, or self-signed if issuer is nil.
func (s stranger) certificate(t *testing.T, issuer *x509.Certificate) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "bridge gateway"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: issuer == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{operation.ServerName},
	}
	parent := issuer
	if parent == nil {
		parent = template
	} else {
		copied := *issuer
		copied.PublicKey = &s.key.PublicKey // so that the key matches the one that signs
		parent = &copied
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, &s.key.PublicKey, s.key))(t)
	chain := [][]byte{der}
	if issuer != nil {
		chain = append(chain, issuer.Raw)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: s.key}
}

// heard is everything that a server received through TLS.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
	next http.Handler
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	h.text.WriteString(r.URL.String() + string(body) + r.Header.Get("Authorization"))
	h.mu.Unlock()
	if h.next != nil {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		h.next.ServeHTTP(w, r)
	}
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// serveTLS starts a server with the given certificate, and returns its address.
func serveTLS(t *testing.T, h http.Handler, certificate func() (*tls.Certificate, error)) string {
	t.Helper()
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate() },
	}}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String()
}

// TestManInTheMiddle checks that nothing at all is sent to a server whose certificate was
// not signed by the store's authority.
func TestManInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	block, _ := pem.Decode(w.authority.PEM())
	authority := must(x509.ParseCertificate(block.Bytes))(t)
	s := newStranger(t)
	other := must(gateway.NewAuthority(bridgetest.NewEnv(t).Key))(t)
	alone, posing := s.certificate(t, nil), s.certificate(t, authority)
	longer := alone
	longer.Certificate = append(longer.Certificate[:1:1], alone.Certificate[0], authority.Raw)
	for name, certificate := range map[string]func() (*tls.Certificate, error){
		"its own":                       func() (*tls.Certificate, error) { return &alone, nil },
		"signed with a key of its own":  func() (*tls.Certificate, error) { return &posing, nil },
		"its own, before the authority": func() (*tls.Certificate, error) { return &longer, nil },
		"of another store":              other.Issue([]string{operation.ServerName}).Certificate,
		"for an authority's public key": func() (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{alone.Certificate[0], authority.Raw}, PrivateKey: s.key}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := new(heard)
			c := w.conn(t, func(o *remote.Options) { o.Join.Address = serveTLS(t, h, certificate) })
			_, err := c.Send(t.Context(), bridge.Credentials{Token: "secret"}, bridge.SendRequest{Text: "secret"})
			if !errors.Is(err, bridge.ErrGatewayForeign) {
				t.Errorf("got %v", err)
			}
			if text := h.String(); text != "" {
				t.Errorf("it was sent %d bytes", len(text))
			}
		})
	}
	c := w.conn(t, func(o *remote.Options) { o.Join.Pin = strings.Repeat("0", 64) })
	if _, err := c.CountMail(t.Context(), bridge.Credentials{}); !errors.Is(err, bridge.ErrGatewayForeign) {
		t.Errorf("with another pin: %v", err)
	}
}

// TestCertificateOfAnother checks that a gateway with a certificate of another authority
// for its other clients still authenticates itself to bridge with the store's authority.
func TestCertificateOfAnother(t *testing.T) {
	t.Parallel()
	bought := newStranger(t).certificate(t, nil)
	var own gateway.Certificates
	w := newWorld(t, func(o *gateway.Options) { own = o.Certificates; o.Authority, o.Certificates = own, fixed{&bought} })
	pair(t, w.conn(t))
}

type fixed struct{ it *tls.Certificate }

func (f fixed) Certificate() (*tls.Certificate, error) { return f.it, nil }

// TestSecretsStayHere checks that everything an agent writes, in any field, is redacted
// before it leaves the machine, and that the answer says what was redacted.
func TestSecretsStayHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := &heard{next: gateway.New(w.options())}
	address := serveTLS(t, h, w.authority.Issue([]string{operation.ServerName}).Certificate)
	c, ctx := w.conn(t, func(o *remote.Options) { o.Join.Address = address }), t.Context()
	canary := "AKIA" + strings.ToUpper(rand.Text()[:16])
	created := must(c.Create(ctx, bridge.CreateRequest{MyRole: "one " + canary, PartnerRole: "two " + canary, Team: "t " + canary}))(t)
	must(c.Join(ctx, created.JoinCode))(t)
	a := bridge.Credentials{Conversation: created.ID, Session: bridge.SessionA, Token: created.TokenA}
	b := bridge.Credentials{Conversation: created.ID, Session: bridge.SessionB, Token: created.TokenB}
	sent := must(c.Send(ctx, a, bridge.SendRequest{Text: "key " + canary, Files: []string{"f " + canary}}))(t)
	if len(sent.Redacted) != 1 || len(created.Redacted) != 1 {
		t.Errorf("reported %v and %v", sent.Redacted, created.Redacted)
	}
	must(c.Invite(ctx, a, "three "+canary))(t)
	given := must(c.AssignTask(ctx, a, tasks.AssignRequest{Title: "t " + canary, Body: "b " + canary, Needs: "two AWS_KEY_REDACTED"}))(t)
	must(c.UpdateTask(ctx, b, tasks.Report{ID: given.Task.ID, State: tasks.Reports()[0], Note: "n " + canary}))(t)
	must(c.Take(ctx, b, claims.Request{Paths: []string{"p/" + canary}, Reason: "r " + canary}))(t)
	must(c.Release(ctx, b, []string{"p/" + canary}))(t)
	name := files.Name{Path: "f/" + canary}
	must(c.WriteFile(ctx, a, files.WriteRequest{Name: name, Text: "x " + canary + "\ny\n"}))(t)
	must(c.EditFile(ctx, a, files.EditRequest{Name: name, Old: "x " + canary, New: "z " + canary}))(t)
	must(c.ReadFile(ctx, a, files.ReadRequest{Name: name}))(t)
	step := must(c.LogStep(ctx, a, steps.LogRequest{Text: "s " + canary}))(t)
	if len(step.Redacted) != 1 || !strings.Contains(step.Text, "AWS_KEY_REDACTED") {
		t.Errorf("a step was returned as %q, reported %v", step.Text, step.Redacted)
	}
	_ = c.RefuseCall(ctx, a, "send_to_partner", bridge.Invalid("message", "holds %s", canary))
	said := h.String()
	if strings.Contains(said, canary) {
		t.Error("a secret left the machine")
	}
	if !strings.Contains(said, "AWS_KEY_REDACTED") {
		t.Error("the test has heard nothing")
	}
}

// TestParseJoin checks that valid join strings are parsed, and all other text is rejected.
func TestParseJoin(t *testing.T) {
	pin, key := strings.Repeat("ab", 32), "brk_0123456789ab_"+strings.Repeat("0f", 32)
	for _, address := range []string{"bridge.example:8443", "10.0.0.5:443", "[2001:db8::1]:8443"} {
		j := remote.Join{Address: address, Pin: pin, Key: key}
		if got := must(remote.ParseJoin(" " + j.String() + "\n"))(t); got != j {
			t.Errorf("%s: got %+v", address, got)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a key": key, "another version": "brg2:h:1:" + pin + ":" + key, "no port": "brg1:h:" + pin + ":" + key,
		"a short pin": "brg1:h:1:abcd:" + key, "no key": "brg1:h:1:" + pin + ":", "a path": "brg1:h/x:1:" + pin + ":" + key,
		"a user": "brg1:u@h:1:" + pin + ":" + key, "port 0": "brg1:h:0:" + pin + ":" + key, "two lines": "brg1:h:1:" + pin + ":" + key + "\nx",
		"a name with a line end": "brg1:h\nx:1:" + pin + ":" + key,
	} {
		if got, err := remote.ParseJoin(text); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %+v, %v", name, got.Address, err)
		}
	}
}
