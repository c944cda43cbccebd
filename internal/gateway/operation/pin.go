package operation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
)

// ServerName is the name that bridge itself uses for any gateway, in the TLS handshake
// (SNI) and as Host. A gateway whose own certificate is issued by another authority
// answers this name with one issued by the store's authority. The top-level domain
// "internal" is reserved for private use, so no page of the public internet has this
// name.
const ServerName = "gateway.bridge.internal"

// PinOf returns the pin of a certificate: the SHA-256 of its public key
// (SubjectPublicKeyInfo; RFC 7469, section 2.4), as 64 hexadecimal characters.
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}
