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

// An access key is written as a prefix, its id and its secret, such as
// brk_0123456789ab_ and 64 hexadecimal characters.
const (
	prefix     = "brk_"
	idLength   = 12 // hexadecimal characters
	secretSize = 32 // bytes
	written    = len(prefix) + idLength + 1 + 2*secretSize
)

// newSecret returns the id and the written form of a fresh key.
func newSecret() (id, text string) {
	random := make([]byte, idLength/2+secretSize)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	all := hex.EncodeToString(random)
	return all[:idLength], prefix + all[:idLength] + "_" + all[idLength:]
}

// ID returns the id of an access key in its written form, or "" if text is not in that
// form. The secret part is not checked.
func ID(text string) (id string) {
	if len(text) != written || !strings.HasPrefix(text, prefix) || text[len(prefix)+idLength] != '_' {
		return ""
	}
	if strings.Trim(text[len(prefix):], "0123456789abcdef_") != "" {
		return ""
	}
	return text[len(prefix) : len(prefix)+idLength]
}

// prover makes and checks proofs under the key of a store.
type prover struct{ key []byte }

func newProver(key bridge.Key) prover { return prover{key.Derive("access key")} }

// proof is what the store keeps of a written key.
func (p prover) proof(k Key, text string) []byte {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range []string{k.ID, k.Name, string(k.Role), text} {
		// Lengths in front of the parts: no two different keys prove the same bytes.
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	for _, at := range []time.Time{k.CreatedAt, k.ExpiresAt} {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())))
	}
	// Without bounds nothing is added, as for keys that were made before there were any.
	for _, id := range k.Conversations {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(id))))
		mac.Write([]byte(id))
	}
	return mac.Sum(nil)
}

// proves reports whether a written key is the kept one, in a time that depends on
// neither. Nothing proves a key that is not there.
func (p prover) proves(k Kept, text string) bool {
	known := len(k.Proof) == sha256.Size
	kept := k.Proof
	if !known {
		kept = make([]byte, sha256.Size)
	}
	same := hmac.Equal(p.proof(k.Key, text), kept)
	return same && known
}
