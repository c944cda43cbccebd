package bridge

import (
	"context"

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
// code that was not redeemed, are worthless from then on.
func (s *Service) RotateTokens(ctx context.Context, conversation string) (TokenPair, error) {
	a, b := s.newNonce(conversation, SessionA), s.newNonce(conversation, SessionB)
	op := s.OperatorOperation("rotate_tokens", conversation)
	if err := s.store.ReplaceNonces(ctx, op, []NewNonce{a, b}); err != nil {
		return TokenPair{}, err
	}
	return s.tokenPair(conversation, Nonces{A: a.Nonce, B: b.Nonce}), nil
}

// RotateToken replaces the token of one session, which puts out whoever has the
// old one, and returns the new one. The other session notices nothing. A join code
// that was not redeemed is worthless afterwards where the session is "b". The
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
