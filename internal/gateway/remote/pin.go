package remote

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/gateway/operation"
)

// pinned returns a TLS configuration that accepts only gateways of one store: the
// certificate must be signed by the authority with the given pin. Other authorities are not
// accepted, and the host name is not checked, since the authority signs certificates for
// gateways only. The check is part of the handshake, before anything is sent, and is also
// made when a session is resumed.
func pinned(pin string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: operation.ServerName,
		// The system's certificate authorities are not used: VerifyConnection is stricter.
		InsecureSkipVerify: true, //nolint:gosec // G402: see above
		VerifyConnection:   func(state tls.ConnectionState) error { return verify(state.PeerCertificates, pin, time.Now()) },
	}
}

// verify checks the chain of the gateway's certificate and its authority's.
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
