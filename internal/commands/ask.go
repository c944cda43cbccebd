package commands

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"example.org/bridge/internal/bridge"
)

// inClient is the value of Where in the audit log for a decision made in an agent's
// client.
const inClient = "client"

// Question is a request in the form in which an agent's client asks its human about it.
// The agent itself must never see it.
type Question struct {
	// Text is shown to the human. It contains the code.
	Text string
	// Code is what the human must type to approve.
	Code string
	// State identifies the question and is signed. It is not secret.
	State string
}

// Ask returns a question about a pending request. Each call returns a different
// question.
func (s *Service) Ask(r Request) Question {
	challenge := random()
	q := Question{Code: s.code(challenge, r.Digest), State: s.signQuestion(challenge, r)}
	lines := append([]string{"An AI agent asks to run this command. Approve it only if you understand all of it."}, r.Describe()...)
	lines = append(lines, "To approve, type this code: "+q.Code)
	q.Text = strings.Join(lines, "\n")
	return q
}

// signQuestion binds the question to one request as it was shown.
func (s *Service) signQuestion(challenge []byte, r Request) string {
	state := append(number(r.ID), challenge...)
	return base64.RawURLEncoding.EncodeToString(append(state, s.mac("question", state, r.Digest)...))
}

// Reply is a human's response to a Question.
type Reply struct {
	// Accepted and Declined report which button was pressed. If neither is set, the
	// human did not answer.
	Accepted, Declined bool
	// Code is what the human typed.
	Code string
}

var errQuestion = &bridge.InvalidError{Field: "requestState", Problem: "was not issued by the bridge for this request"}

// Answer carries out a human's reply to the question with the given state. Accepted
// with the right code approves the request once. Declined, or a wrong code, denies it.
// Without an answer the request stays pending. It reports whether the request was
// approved.
//
// The operator decides, when opening the grant, whether clients may ask at all.
func (s *Service) Answer(ctx context.Context, state string, reply Reply) (approved bool, err error) {
	r, challenge, err := s.openQuestion(ctx, state)
	if err != nil {
		return false, err
	}
	switch {
	case !reply.Accepted && !reply.Declined:
		return false, nil
	case reply.Accepted && hmac.Equal([]byte(s.code(challenge, r.Digest)), []byte(strings.ToLower(strings.TrimSpace(reply.Code)))):
		_, _, err = s.Approve(ctx, ApproveRequest{Request: r, Where: inClient})
		return err == nil, err
	}
	return false, s.Deny(ctx, r, inClient)
}

// openQuestion returns the request that a question was about. It fails if the question
// is not genuine or the operator does not let clients ask.
func (s *Service) openQuestion(ctx context.Context, state string) (r Request, challenge []byte, err error) {
	signed, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil || len(signed) <= 8+tokenBytes {
		return r, nil, errQuestion
	}
	id := int64(binary.BigEndian.Uint64(signed))
	challenge = signed[8 : 8+tokenBytes]
	r, err = s.Command(ctx, id)
	if errors.Is(err, ErrNoRequest) {
		return r, nil, errQuestion
	}
	if err != nil {
		return r, nil, err
	}
	if !hmac.Equal([]byte(state), []byte(s.signQuestion(challenge, r))) {
		return r, nil, errQuestion
	}
	view, err := s.store.PeekCommand(ctx, r.Conversation, r.Session, r.Command)
	if err != nil {
		return r, nil, err
	}
	grant, err := s.liveGrant(view, view.Clock.Time(s.core.Now()))
	if err == nil && !grant.AskInClient {
		err = ErrNoGrant
	}
	return r, challenge, err
}
