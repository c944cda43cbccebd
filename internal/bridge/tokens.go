package bridge

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"example.org/bridge/internal/auth"
)

// Token is the token of a session.
type Token struct {
	Session SessionID
	Token   string
}

// NewNonce is the random value from which the token of a session is derived. It
// is the session's first or replaces an earlier one.
type NewNonce struct {
	Session SessionID
	Nonce   []byte
	Print   int64
	// KeptUntil is how long the place of a session that nobody has joined yet is kept
	// for the holder of its new token.
	KeptUntil time.Time
}

// A NonceRule returns the nonces that replace those of a conversation's sessions, at the
// store's time now. Its error is nil or an InvalidError. It is pure apart from the random
// values that it generates.
type NonceRule func(sessions []SessionID, now time.Time) ([]NewNonce, error)

// Tokens derives the tokens of a conversation again, in the order of its sessions.
// The audit log records that. The error may be ErrNotFound.
func (s *Service) Tokens(ctx context.Context, conversation string) ([]Token, error) {
	nonces, err := s.store.Nonces(ctx, s.OperatorOperation("show_tokens", conversation))
	if err != nil {
		return nil, err
	}
	return s.issue(conversation, nonces), nil
}

// RotateTokens replaces all tokens of a conversation. The old tokens, and join
// codes that were not redeemed, are invalid from then on.
func (s *Service) RotateTokens(ctx context.Context, conversation string) ([]Token, error) {
	op := s.OperatorOperation("rotate_tokens", conversation)
	fresh, err := s.store.ReplaceNonces(ctx, op, func(sessions []SessionID, now time.Time) (fresh []NewNonce, err error) {
		for _, session := range sessions {
			fresh = append(fresh, s.freshNonce(conversation, session, now))
		}
		return fresh, nil
	})
	if err != nil {
		return nil, err
	}
	return s.issue(conversation, fresh), nil
}

// RotateToken replaces the token of one session and returns the new one. The
// holder of the old token is locked out; other sessions are not affected. If the
// session has a join code that was not redeemed, the code becomes invalid. The
// error may be ErrNotFound or an InvalidError.
func (s *Service) RotateToken(ctx context.Context, conversation string, session SessionID) (string, error) {
	op := s.OperatorOperation("rotate_tokens", conversation)
	if !session.Valid() {
		return "", s.refuseOperation(ctx, op, Invalid("session", "must be the letter of a session"))
	}
	op.Details["session"] = session
	fresh, err := s.store.ReplaceNonces(ctx, op, func(sessions []SessionID, now time.Time) ([]NewNonce, error) {
		if !slices.Contains(sessions, session) {
			return nil, Invalid("session", "must be a session of the conversation: %s", Recipients(sessions))
		}
		return []NewNonce{s.freshNonce(conversation, session, now)}, nil
	})
	if err != nil {
		return "", err
	}
	return s.issue(conversation, fresh)[0].Token, nil
}

func (s *Service) newNonce(conversation string, session SessionID) NewNonce {
	nonce := auth.NewNonce()
	return NewNonce{Session: session, Nonce: nonce, Print: s.printer.Of(conversation, session, nonce)}
}

// freshNonce returns a nonce to replace an existing one. If a join code becomes
// invalid with it, the session's place is kept as long as for a new code, so that the
// next invitation does not take it.
func (s *Service) freshNonce(conversation string, session SessionID, now time.Time) NewNonce {
	n := s.newNonce(conversation, session)
	n.KeptUntil = now.Add(JoinCodeTTL)
	return n
}

// issue derives tokens from nonces.
func (s *Service) issue(conversation string, nonces []NewNonce) []Token {
	tokens := make([]Token, len(nonces))
	for i, n := range nonces {
		tokens[i] = Token{Session: n.Session, Token: s.tokens.Issue(conversation, string(n.Session), n.Nonce)}
	}
	return tokens
}

// Printer computes fingerprints of tokens, by which a store finds the token in
// a text without deriving the tokens of all sessions. A fingerprint is 48 of a
// token's 256 bits under a key. It proves nothing and does not authorize
// anything.
type Printer struct {
	pad    uint64
	tokens auth.Tokens
}

// NewPrinter returns the printer for a store's key.
func NewPrinter(key auth.Key) Printer {
	return Printer{pad: binary.BigEndian.Uint64(key.Derive("token fingerprint")), tokens: auth.NewTokens(key)}
}

const (
	printDigits = 12
	printMask   = 1<<(4*printDigits) - 1
)

// Of returns the fingerprint of the token of a session.
func (p Printer) Of(conversation string, session SessionID, nonce []byte) int64 {
	return p.read(p.tokens.Issue(conversation, string(session), nonce))
}

// read returns the fingerprint of a token, or of a text that looks like one.
func (p Printer) read(token string) int64 {
	var bytes [8]byte
	_, _ = hex.Decode(bytes[2:], []byte(token[:printDigits])) // cannot fail, since these are hexadecimal digits
	return int64((binary.BigEndian.Uint64(bytes[:]) ^ p.pad) & printMask)
}

// candidates calls visit with everything in text that looks like a token.
func candidates(text string, visit func(token string)) {
	run := 0
	for i := range len(text) {
		if c := text[i]; ('0' > c || c > '9') && ('a' > c || c > 'f') {
			run = 0
		} else if run++; run >= auth.TokenLength {
			visit(text[i+1-auth.TokenLength : i+1])
		}
	}
}

// Suspect is a session whose token has one of the fingerprints searched for.
type Suspect struct {
	Conversation string
	Session      SessionID
	Nonce        []byte
}
