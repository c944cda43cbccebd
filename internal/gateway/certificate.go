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

// Authority issues certificates for the gateways of one store. Its private key is derived
// from the store's master key. All gateways of a store therefore have the same authority,
// its pin stays valid, and no additional secret has to be kept.
type Authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	now  func() time.Time
}

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 30 * 24 * time.Hour
	clockSlack    = 24 * time.Hour // tolerates clients whose clock is behind
)

// NewAuthority returns the authority of the store with the given master key.
func NewAuthority(key bridge.Key) (*Authority, error) { return newAuthority(key, time.Now) }

func newAuthority(key bridge.Key, now func() time.Time) (*Authority, error) {
	a := &Authority{now: now}
	// A derived value is a valid scalar of the curve except once in 2^32 times.
	for n := 0; a.key == nil; n++ {
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), key.Derive(fmt.Sprintf("gateway authority %d", n))); err == nil {
			a.key = private
		}
	}
	var err error
	a.cert, err = a.root(a.now())
	return a, err
}

// root returns the authority's own certificate at a given time. All of them have the same
// key and name, so any of them is accepted in place of another.
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
		return nil, fmt.Errorf("create the authority's certificate: %w", err)
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
	// current is used between from and until. These times have no monotonic clock reading,
	// because the validity of a certificate depends on the wall clock, which can be set and
	// continues while a machine sleeps.
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
	root, err := a.root(now) // a root certificate valid as long as the leaf
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, root, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, root.Raw}, PrivateKey: key}, nil
}

// Files is a certificate and its private key in two PEM files, which are read again when
// they change.
type Files struct {
	CertPath, KeyPath string

	mu      sync.Mutex
	looked  time.Time
	state   string
	current *tls.Certificate
}

// lookEvery is how often the files are checked for changes.
const lookEvery = 5 * time.Second

var errNoCertificate = errors.New("could not read the certificate")

// Certificate implements Certificates. If the files no longer contain a certificate with
// its key, it returns the last valid one.
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
