package remote

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

// pinned is the TLS of a connection that only a gateway of one store can answer: its
// certificate must be signed by the authority with the pin. No other authority counts,
// and no name: the authority signs for nothing but gateways. It is checked in the
// handshake, before anything is sent, and when a session is resumed too.
func pinned(pin string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: operation.ServerName,
		// The system's authorities are not asked: VerifyConnection is stricter.
		InsecureSkipVerify: true, //nolint:gosec // G402: see above
		VerifyConnection:   func(state tls.ConnectionState) error { return verify(state.PeerCertificates, pin, time.Now()) },
	}
}

// verify checks a chain of the gateway's certificate and its authority's.
func verify(chain []*x509.Certificate, pin string, now time.Time) error {
	if len(chain) != 2 || operation.PinOf(chain[1]) != pin {
		return bridge.ErrGatewayForeign
	}
	authority := x509.NewCertPool()
	authority.AddCert(chain[1])
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: authority, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return bridge.ErrGatewayForeign
	}
	return nil
}
