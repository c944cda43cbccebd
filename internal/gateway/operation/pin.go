package operation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
)

// ServerName is the name that bridge itself asks a gateway for, in the handshake and as
// Host. A gateway that serves a certificate of somebody else's answers it with one of
// the store's own authority. "internal" is no name of the public internet, so that no
// page can be made to send it.
const ServerName = "gateway.bridge.internal"

// PinOf is the pin of a certificate: SHA-256 of its public key, in 64 hexadecimal
// characters (RFC 7469, section 2.4).
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}
