package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/harness/service"
)

// issue writes a self-signed certificate for this machine and its key to NAME.crt and
// NAME.key.
func issue(t *testing.T, folder, name string, number int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for end, block := range map[string]*pem.Block{".key": {Type: "PRIVATE KEY", Bytes: private}, ".crt": {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(folder, name+end), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func settings(t *testing.T, folder, text string) (*tls.Config, error) {
	t.Helper()
	path := filepath.Join(folder, "tls.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return service.LoadTLS(path)
}

// caller trusts a certificate, and presents one of its own if one is given.
func caller(t *testing.T, folder, trusted, shown string) *http.Client {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, trusted+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(data)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if shown != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(folder, shown+".crt"), filepath.Join(folder, shown+".key"))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: time.Minute}
}

// TestTLS checks that a client without a certificate of the authority is refused and one
// with it is answered, and that a new server certificate is read from its file.
func TestTLS(t *testing.T) {
	folder := t.TempDir()
	issue(t, folder, "server", 1)
	issue(t, folder, "client", 2)
	config, err := settings(t, folder, "tls:\n  enabled: true\n  cert_file: server.crt\n  key_file: server.key\n  client_auth: require\n  client_ca_file: client.crt\n"+
		"  min_version: \"1.2\"\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n")
	if err != nil {
		t.Fatal(err)
	}
	l, err := service.Places{Host: "127.0.0.1", TLS: config}.Listen(t.Context(), service.Access{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	s := service.New(service.Options{Every: time.Hour, Run: results(service.Result{Passed: 1})})
	go func() { done <- s.Serve(ctx, l) }()
	get := func(c *http.Client) error {
		answer, err := c.Get("https://" + l.Health.Addr().String() + "/health")
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errors.New(answer.Status)
		}
		return nil
	}
	if err := get(caller(t, folder, "server", "")); err == nil {
		t.Error("a client without a certificate is answered")
	}
	if err := get(caller(t, folder, "server", "client")); err != nil {
		t.Error(err)
	}
	old := caller(t, folder, "server", "client")
	issue(t, folder, "server", 3)
	later := time.Now().Add(time.Minute) // file systems may store only seconds
	if err := os.Chtimes(filepath.Join(folder, "server.crt"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := get(caller(t, folder, "server", "client")); err != nil {
		t.Errorf("with the new certificate: %v", err)
	}
	if err := get(old); err == nil {
		t.Error("the old certificate is shown")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLoadTLS(t *testing.T) {
	folder := t.TempDir()
	issue(t, folder, "a", 1)
	const pair = "tls: {cert_file: a.crt, key_file: a.key, "
	for name, tt := range map[string]struct{ text, want string }{
		"sound":            {pair + "min_version: '1.3'}", ""},
		"off":              {"tls: {enabled: false}", ""},
		"nothing":          {"tls: {enabled: true}", "needs cert_file and key_file"},
		"missing file":     {"tls: {cert_file: b.crt, key_file: a.key}", "b.crt"},
		"weak version":     {pair + "min_version: '1.0'}", "min_version must be"},
		"weak suite":       {pair + "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}", "no secure cipher suite"},
		"ca_file":          {pair + "ca_file: a.crt}", "client_ca_file"},
		"no authority":     {pair + "client_auth: require}", "client_auth needs client_ca_file"},
		"empty authority":  {pair + "client_auth: request, client_ca_file: a.key}", "holds no certificate"},
		"unknown question": {pair + "client_auth: maybe}", "client_auth must be"},
		"unknown key":      {"tls: {cert: a.crt}", "unknown field"},
	} {
		config, err := settings(t, folder, tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || (config == nil) != (err != nil || name == "off") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestExposed checks that other machines are only served with TLS and keys.
func TestExposed(t *testing.T) {
	for _, p := range []service.Places{{Host: "0.0.0.0"}, {Host: "0.0.0.0", TLS: &tls.Config{MinVersion: tls.VersionTLS13}}, {Host: "::"}, {Host: ""}} {
		if _, err := p.Listen(t.Context(), service.Access{}); !errors.Is(err, service.ErrExposed) {
			t.Errorf("%q: %v", p.Host, err)
		}
	}
	if _, err := (service.Places{Host: "0.0.0.0"}).Listen(t.Context(), access(t)); !errors.Is(err, service.ErrExposed) {
		t.Errorf("keys in the clear: %v", err)
	}
}
