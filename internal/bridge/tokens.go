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

// NewNonce is the random value behind the token of a session: its first, or one
// that takes the place of an old one.
type NewNonce struct {
	Session SessionID
	Nonce   []byte
	Print   int64
	// KeptUntil is how long the place of a session that nobody has joined yet is kept
	// for who is given its new token.
	KeptUntil time.Time
}

// A NonceRule makes the nonces that take the place of those of a conversation's
// sessions, at a time of the store. Its error is nil or an InvalidError. It is pure but for chance.
type NonceRule func(sessions []SessionID, now time.Time) ([]NewNonce, error)

// Tokens derives the tokens of a conversation again, in order of the sessions. That
// it was done is in the audit log. The error may be ErrNotFound.
func (s *Service) Tokens(ctx context.Context, conversation string) ([]Token, error) {
	nonces, err := s.store.Nonces(ctx, s.OperatorOperation("show_tokens", conversation))
	if err != nil {
		return nil, err
	}
	return s.issue(conversation, nonces), nil
}

// RotateTokens replaces all tokens of a conversation: the old ones, and join codes
// that were not redeemed, are invalid from then on.
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

// RotateToken replaces the token of one session, which locks out who has the
// old one, and returns the new one. The other sessions notice nothing. A join code
// for the session that was not redeemed is invalid afterwards. The error may be
// ErrNotFound or an InvalidError.
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

// freshNonce takes the place of a nonce. A join code that is lost with it leaves the
// place as long as a new code would: whoever is invited next does not take it before.
func (s *Service) freshNonce(conversation string, session SessionID, now time.Time) NewNonce {
	n := s.newNonce(conversation, session)
	n.KeptUntil = now.Add(JoinCodeTTL)
	return n
}

// issue derives the tokens of some nonces.
func (s *Service) issue(conversation string, nonces []NewNonce) []Token {
	tokens := make([]Token, len(nonces))
	for i, n := range nonces {
		tokens[i] = Token{Session: n.Session, Token: s.tokens.Issue(conversation, string(n.Session), n.Nonce)}
	}
	return tokens
}

// Printer makes fingerprints of tokens, by which a store finds the token in a
// text without computing all of them. A fingerprint is 48 of a token's
// 256 bits under a key: it proves nothing, and opens nothing.
type Printer struct {
	pad    uint64
	tokens auth.Tokens
}

// NewPrinter returns the printer of a store.
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

// read returns the fingerprint of a token, or of what looks like one.
func (p Printer) read(token string) int64 {
	var bytes [8]byte
	_, _ = hex.Decode(bytes[2:], []byte(token[:printDigits])) // hex digits always decode
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

// Suspect is a session whose token has a fingerprint that was looked for.
type Suspect struct {
	Conversation string
	Session      SessionID
	Nonce        []byte
}
