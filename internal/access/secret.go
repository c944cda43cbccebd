package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// The written form of an access key is a prefix, its ID and its secret, for example
// brk_0123456789ab_ and 64 hexadecimal characters.
const (
	prefix     = "brk_"
	idLength   = 12 // hexadecimal characters
	secretSize = 32 // bytes
	written    = len(prefix) + idLength + 1 + 2*secretSize
)

// newSecret returns the ID and the written form of a new key.
func newSecret() (id, text string) {
	random := make([]byte, idLength/2+secretSize)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	all := hex.EncodeToString(random)
	return all[:idLength], prefix + all[:idLength] + "_" + all[idLength:]
}

// ID returns the ID in the written form of an access key, or "" if text does not have
// that form. It does not check the secret.
func ID(text string) (id string) {
	if len(text) != written || !strings.HasPrefix(text, prefix) || text[len(prefix)+idLength] != '_' {
		return ""
	}
	if strings.Trim(text[len(prefix):], "0123456789abcdef_") != "" {
		return ""
	}
	return text[len(prefix) : len(prefix)+idLength]
}

// prover makes and checks proofs with a key derived from the store's.
type prover struct{ key []byte }

func newProver(key bridge.Key) prover { return prover{key.Derive("access key")} }

// proof returns the proof that the store keeps of a written key.
func (p prover) proof(k Key, text string) []byte {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range []string{k.ID, k.Name, string(k.Role), text} {
		// Each part is preceded by its length, so that different keys never have the
		// same encoding.
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	for _, at := range []time.Time{k.CreatedAt, k.ExpiresAt} {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())))
	}
	// A key without bounds adds nothing here, so proofs of keys that were made before
	// bounds existed remain valid.
	for _, id := range k.Conversations {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(id))))
		mac.Write([]byte(id))
	}
	return mac.Sum(nil)
}

// proves reports whether text is the written form of the stored key. The time it takes
// depends on neither. It is false for any text if there is no stored key.
func (p prover) proves(k Kept, text string) bool {
	known := len(k.Proof) == sha256.Size
	kept := k.Proof
	if !known {
		kept = make([]byte, sha256.Size)
	}
	same := hmac.Equal(p.proof(k.Key, text), kept)
	return same && known
}
