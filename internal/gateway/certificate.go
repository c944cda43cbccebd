package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

// Certificates returns the certificate for each new connection.
type Certificates interface {
	Certificate() (*tls.Certificate, error)
}

// Authority issues certificates for the gateways of one store. Its private key is
// derived from the store's master key: all gateways of a store have the same authority,
// a pin of it stays valid, and no further secret has to be kept.
type Authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	now  func() time.Time
}

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 30 * 24 * time.Hour
	clockSlack    = 24 * time.Hour // of clients whose clocks are behind
)

// NewAuthority returns the authority of the store with the given master key.
func NewAuthority(key bridge.Key) (*Authority, error) { return newAuthority(key, time.Now) }

func newAuthority(key bridge.Key, now func() time.Time) (*Authority, error) {
	a := &Authority{now: now}
	// A derived value is a valid scalar of the curve but once in 2^32 times.
	for n := 0; a.key == nil; n++ {
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), key.Derive(fmt.Sprintf("gateway authority %d", n))); err == nil {
			a.key = private
		}
	}
	var err error
	a.cert, err = a.root(a.now())
	return a, err
}

// root is the authority's own certificate, as of a time. All have the same key and name, so
// each stands for the others.
func (a *Authority) root(now time.Time) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "bridge gateway authority"},
		NotBefore:             now.Add(-clockSlack),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Pin returns the hash of the authority's public key (operation.PinOf).
func (a *Authority) Pin() string { return operation.PinOf(a.cert) }

// PEM returns the authority's certificate, for clients that are configured to trust it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Issue returns certificates for hosts (names or IP addresses). They are renewed before
// they expire; their private keys are only in memory.
func (a *Authority) Issue(names []string) Certificates { return &issued{authority: a, names: names} }

type issued struct {
	authority *Authority
	names     []string

	mu      sync.Mutex
	current *tls.Certificate
	// from and until are when current is used. They have no monotonic clock: whether a
	// certificate counts is told by the time of day, which is set, and goes on while a machine sleeps.
	from, until time.Time
}

// Certificate implements Certificates.
func (i *issued) Certificate() (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.authority.now().Round(0)
	if i.current != nil && !now.Before(i.from) && now.Before(i.until) {
		return i.current, nil
	}
	fresh, err := i.authority.leaf(i.names, now)
	if err != nil {
		return nil, err
	}
	i.current, i.from, i.until = fresh, now.Add(-clockSlack/2), now.Add(leafLife/2)
	return fresh, nil
}

func (a *Authority) leaf(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "bridge gateway"},
		NotBefore:             now.Add(-clockSlack),
		NotAfter:              now.Add(leafLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	root, err := a.root(now) // one that counts as long as the leaf does
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, root, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, root.Raw}, PrivateKey: key}, nil
}

// Files are a certificate and its private key in two PEM files, which are read again
// when they change.
type Files struct {
	CertPath, KeyPath string

	mu      sync.Mutex
	looked  time.Time
	state   string
	current *tls.Certificate
}

// lookEvery is how often the files are looked at.
const lookEvery = 5 * time.Second

var errNoCertificate = errors.New("the certificate cannot be read")

// Certificate implements Certificates. If the files were replaced by something that is
// not a certificate with its key, it returns the last valid one.
func (f *Files) Certificate() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && time.Since(f.looked) < lookEvery {
		return f.current, nil
	}
	f.looked = time.Now()
	state := stateOf(f.CertPath) + stateOf(f.KeyPath)
	if f.current != nil && state == f.state {
		return f.current, nil
	}
	fresh, err := tls.LoadX509KeyPair(f.CertPath, f.KeyPath)
	if err != nil {
		if f.current != nil {
			return f.current, nil
		}
		return nil, fmt.Errorf("%w: %w", errNoCertificate, err)
	}
	f.current, f.state = &fresh, state
	return f.current, nil
}

// Names returns the hosts that the certificate is for.
func (f *Files) Names() ([]string, error) {
	c, err := f.Certificate()
	if err != nil {
		return nil, err
	}
	names := append([]string{}, c.Leaf.DNSNames...)
	for _, ip := range c.Leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names, nil
}

func stateOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano(), "|")
}
