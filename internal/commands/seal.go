package commands

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	"example.org/bridge/internal/guard"
)

// CodeLength is the length of a one-time code in hexadecimal characters.
const CodeLength = 6

// tokenBytes is the size of approval tokens, nonces and challenges.
const tokenBytes = 16

// mac returns an HMAC of parts for one purpose, under a key that only the bridge's own
// processes have. Each part is preceded by its length, so that different parts never
// have the same encoding.
func (s *Service) mac(purpose string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, s.seals)
	for _, part := range append([][]byte{[]byte(purpose)}, parts...) {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// sealGrant returns the seal of a grant. A row that was written into the store by other
// means has no valid seal.
func (s *Service) sealGrant(g Grant) []byte {
	g.Seal = nil
	g.OpenedAt, g.ExpiresAt = g.OpenedAt.UTC(), g.ExpiresAt.UTC()
	canonical, _ := json.Marshal(g) // strings, numbers and times can always be encoded
	return s.mac("grant", canonical)
}

func (s *Service) genuineGrant(g Grant) bool { return hmac.Equal(g.Seal, s.sealGrant(g)) }

// sealApproval returns the seal of an approval, which also covers its expiry.
func (s *Service) sealApproval(r Request) []byte {
	return s.mac("approval", number(r.ID), r.Digest, number(r.ApprovedUntil.UnixMicro()), r.TokenHash)
}

func (s *Service) hashToken(token string) []byte {
	if token == "" {
		return nil
	}
	return s.mac("approval token", []byte(token))
}

// code derives the one-time code that a human types to confirm the text with this
// digest.
func (s *Service) code(challenge, digest []byte) string {
	return hex.EncodeToString(s.mac("code", challenge, digest))[:CodeLength]
}

// GrantCode returns the one-time code for opening g. Each call returns a different
// code.
func (s *Service) GrantCode(g Grant) string { return s.code(random(), g.Seal) }

// RequestCode returns the one-time code for approving r. Each call returns a different
// code.
func (s *Service) RequestCode(r Request) string { return s.code(random(), r.Digest) }

// digest covers everything that an approval binds (docs/yolo.md), so that any change
// needs a new approval. It is keyed because an encrypted store still holds everything
// but the command in clear, and a reader of that must not be able to test guesses of
// the command.
func (s *Service) digest(r Request) []byte {
	sum := guard.ApprovalRequest{
		Conversation: r.Conversation,
		Session:      string(r.Session),
		Command:      r.Command,
		Plan:         &r.Plan,
		Mode:         r.Mode,
		Workspace:    r.Workspace,
		Device:       r.Folder.Device,
		Inode:        r.Folder.Inode,
		Sandbox:      string(r.Sandbox) + " " + r.Image,
		Network:      r.Network,
		Access:       r.Access.bound(),
		Timeout:      r.Timeout,
		Nonce:        r.Nonce,
	}.Digest()
	return s.mac("request", sum[:])
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func random() []byte {
	bytes := make([]byte, tokenBytes)
	_, _ = rand.Read(bytes) // never fails (crypto/rand)
	return bytes
}
