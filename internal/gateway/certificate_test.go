package gateway_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
)

// pair is a certificate and its key as PEM files contain them.
type pair struct{ cert, key []byte }

// newPair creates a certificate for a name.
func newPair(t *testing.T, a *gateway.Authority, name string) pair {
	t.Helper()
	c := must(a.Issue([]string{name}).Certificate())(t)
	key := must(x509.MarshalPKCS8PrivateKey(c.PrivateKey))(t)
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	}
}

// TestFilesAreReadAgain checks that a replaced certificate is used within seconds, and that
// the last valid one stays in use while the files contain no valid pair.
func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	authority := must(gateway.NewAuthority(bridgetest.NewEnv(t).Key))(t)
	one, two, three := newPair(t, authority, "one"), newPair(t, authority, "two"), newPair(t, authority, "three")
	dir := t.TempDir()
	f := &gateway.Files{CertPath: filepath.Join(dir, "cert.pem"), KeyPath: filepath.Join(dir, "key.pem")}
	write := func(path string, text []byte) {
		// Written to a new file and renamed, as certificate tools do, with a new
		// modification time.
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name   string
		change func()
		want   string
	}{
		{"the first", func() { write(f.CertPath, one.cert); write(f.KeyPath, one.key) }, "one"},
		{"no change", func() {}, "one"},
		{"only the certificate", func() { write(f.CertPath, two.cert) }, "one"},
		{"its key as well", func() { write(f.KeyPath, two.key) }, "two"},
		{"no certificate", func() { write(f.CertPath, []byte("nothing")) }, "two"},
		{"no file", func() { _ = os.Remove(f.CertPath) }, "two"},
		{"no key", func() { write(f.CertPath, two.cert); _ = os.Remove(f.KeyPath) }, "two"},
		{"another pair", func() { write(f.CertPath, three.cert); write(f.KeyPath, three.key) }, "three"},
	}
	synctest.Test(t, func(t *testing.T) {
		for _, step := range steps {
			step.change()
			time.Sleep(6 * time.Second) // longer than the files are cached
			names, err := f.Names()
			if err != nil || strings.Join(names, " ") != step.want {
				t.Errorf("%s: the certificate is for %v, want %s: %v", step.name, names, step.want, err)
			}
		}
	})
	missing := &gateway.Files{CertPath: filepath.Join(dir, "none"), KeyPath: filepath.Join(dir, "none")}
	if _, err := missing.Certificate(); err == nil || strings.Contains(err.Error(), string(one.key)) {
		t.Errorf("without files: %v", err)
	}
}

// TestIssuedAreRenewed checks that a gateway that runs for months always presents a valid
// certificate.
func TestIssuedAreRenewed(t *testing.T) {
	t.Parallel()
	key := bridgetest.NewEnv(t).Key
	synctest.Test(t, func(t *testing.T) {
		authority := must(gateway.NewAuthority(key))(t)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(authority.PEM())
		certificates := authority.Issue([]string{"bridge.example"})
		first := must(certificates.Certificate())(t)
		if again := must(certificates.Certificate())(t); again != first {
			t.Error("each connection gets a certificate of its own")
		}
		for range 20 {
			time.Sleep(7 * 24 * time.Hour)
			leaf := must(x509.ParseCertificate(must(certificates.Certificate())(t).Certificate[0]))(t)
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "bridge.example", Roots: roots, CurrentTime: time.Now().Add(7 * 24 * time.Hour)}); err != nil {
				t.Fatalf("it does not count for a week: %v", err)
			}
		}
	})
}

// TestIssuedAfterTheClockWasSet checks that a gateway that started with a wrong clock
// presents a valid certificate once the clock is corrected, for clients that trust the
// authority and for those that have its pin.
func TestIssuedAfterTheClockWasSet(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, wrong := range map[string]time.Duration{"ahead": 3 * day, "far ahead": 400 * day, "a little ahead": time.Hour, "behind": -100 * day} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			right := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
			clock := right.Add(wrong)
			authority := must(gateway.NewAuthorityAt(bridgetest.NewEnv(t).Key, func() time.Time { return clock }))(t)
			certificates := authority.Issue([]string{"bridge.example"})
			must(certificates.Certificate())(t)
			clock = right
			shown := must(certificates.Certificate())(t)
			leaf, root := must(x509.ParseCertificate(shown.Certificate[0]))(t), must(x509.ParseCertificate(shown.Certificate[1]))(t)
			if operation.PinOf(root) != authority.Pin() {
				t.Error("the pin has changed")
			}
			sent := x509.NewCertPool()
			sent.AddCert(root)
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "bridge.example", Roots: sent, CurrentTime: right}); err != nil {
				t.Errorf("it does not count: %v", err)
			}
		})
	}
}

// changing returns its certificates one after the other.
type changing struct {
	current atomic.Pointer[gateway.Certificates]
}

func (c *changing) Certificate() (*tls.Certificate, error) { return (*c.current.Load()).Certificate() }

// TestNextConnectionGetsNewCertificate checks that a replaced certificate is used from the
// next connection on, and that open connections stay open.
func TestNextConnectionGetsNewCertificate(t *testing.T) {
	t.Parallel()
	c := &changing{}
	p := newPlace(t, func(o *gateway.Options) {
		first := o.Certificates
		c.current.Store(&first)
		o.Certificates = c
	})
	before := p.dial(t)
	other := p.authority.Issue([]string{"127.0.0.1", "other.example"})
	c.current.Store(&other)
	after := p.dial(t)
	if names := after.ConnectionState().PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != "other.example" {
		t.Errorf("the next connection's certificate is for %v", names)
	}
	if names := before.ConnectionState().PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != "localhost" {
		t.Errorf("the first connection's certificate is for %v", names)
	}
	if _, err := io.WriteString(before, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := ends(t, before); !strings.Contains(got, "200 OK") {
		t.Errorf("the first connection got %q", got)
	}
}
