package bridge

import (
	"context"
	"encoding/binary"
	"encoding/hex"

	"example.org/bridge/internal/auth"
)

// TokenPair is the two tokens of a conversation.
type TokenPair struct {
	Conversation string
	A, B         string
}

// Of returns the token of a session.
func (p TokenPair) Of(session SessionID) string {
	if session == SessionA {
		return p.A
	}
	return p.B
}

// NewNonce is the random value behind a token that takes the place of a
// session's old one.
type NewNonce struct {
	Session SessionID
	Nonce   []byte
	Print   int64
}

// EndsJoinCode reports whether replacing these nonces ends the conversation's join
// code: it would give its finder the token of session "b".
func EndsJoinCode(fresh []NewNonce) bool {
	for _, n := range fresh {
		if n.Session == SessionB {
			return true
		}
	}
	return false
}

// Tokens derives the tokens of a conversation again. That it was done is in the
// audit log. The error may be ErrNotFound.
func (s *Service) Tokens(ctx context.Context, conversation string) (TokenPair, error) {
	nonces, err := s.store.Nonces(ctx, s.OperatorOperation("show_tokens", conversation))
	if err != nil {
		return TokenPair{}, err
	}
	return s.tokenPair(conversation, nonces), nil
}

// RotateTokens replaces both tokens of a conversation: the old ones, and a join
// code that was not redeemed, are invalid from then on.
func (s *Service) RotateTokens(ctx context.Context, conversation string) (TokenPair, error) {
	a, b := s.newNonce(conversation, SessionA), s.newNonce(conversation, SessionB)
	op := s.OperatorOperation("rotate_tokens", conversation)
	if err := s.store.ReplaceNonces(ctx, op, []NewNonce{a, b}); err != nil {
		return TokenPair{}, err
	}
	return s.tokenPair(conversation, Nonces{A: a.Nonce, B: b.Nonce}), nil
}

// RotateToken replaces the token of one session, which locks out who has the
// old one, and returns the new one. The other session notices nothing. A join code
// that was not redeemed is invalid afterwards where the session is "b". The
// error may be ErrNotFound or an InvalidError.
func (s *Service) RotateToken(ctx context.Context, conversation string, session SessionID) (string, error) {
	op := s.OperatorOperation("rotate_tokens", conversation)
	if session != SessionA && session != SessionB {
		return "", s.refuseOperation(ctx, op, Invalid("session", "must be a session of the conversation: a or b"))
	}
	op.Details["session"] = session
	fresh := s.newNonce(conversation, session)
	if err := s.store.ReplaceNonces(ctx, op, []NewNonce{fresh}); err != nil {
		return "", err
	}
	return s.tokens.Issue(conversation, string(session), fresh.Nonce), nil
}

func (s *Service) newNonce(conversation string, session SessionID) NewNonce {
	nonce := auth.NewNonce()
	return NewNonce{Session: session, Nonce: nonce, Print: s.printer.Of(conversation, session, nonce)}
}

func (s *Service) tokenPair(conversation string, n Nonces) TokenPair {
	return TokenPair{
		Conversation: conversation,
		A:            s.tokens.Issue(conversation, string(SessionA), n.A),
		B:            s.tokens.Issue(conversation, string(SessionB), n.B),
	}
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

// Prints are the fingerprints of the tokens of a conversation.
type Prints struct{ A, B int64 }

func (p Printer) ofBoth(conversation string, n Nonces) Prints {
	return Prints{A: p.Of(conversation, SessionA, n.A), B: p.Of(conversation, SessionB, n.B)}
}

// Suspect is a session whose token has a fingerprint that was looked for.
type Suspect struct {
	Conversation string
	Session      SessionID
	Nonce        []byte
}
