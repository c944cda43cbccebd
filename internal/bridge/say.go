package bridge

import (
	"context"
	"slices"
	"unicode/utf8"
)

// SayRequest is a message from the operator.
type SayRequest struct {
	Conversation string
	// To are the sessions that get it; none means all of the conversation.
	To   []SessionID
	Text string
}

// A SayRule says whether the operator may speak in a conversation as it is. It is
// pure.
type SayRule func(Overview) error

// Say stores a message from the operator, which agents are shown as trusted. The
// caller has made sure that a human at a terminal wants it: nothing here can tell.
// It is charged to nobody, and goes to paused conversations too. The error may be
// ErrNotFound, ErrExpired or an InvalidError.
func (s *Service) Say(ctx context.Context, r SayRequest) ([]Sent, error) {
	op := s.OperatorOperation("say", r.Conversation)
	if err := validateSay(r); err != nil {
		return nil, s.refuseOperation(ctx, op, err)
	}
	to := r.To
	if len(to) == 0 {
		to = []SessionID{SessionA, SessionB}
	}
	hide := s.Redaction(ctx)
	text := hide.Text(r.Text)
	if hide.Err() != nil {
		return nil, hide.Err()
	}
	op.Details["to"], op.Details["characters"] = to, utf8.RuneCountInString(r.Text)
	m := NewMessage{Action: ActionInfo, Text: text, Redacted: hide.Found()}
	sent, err := s.store.Say(ctx, op, to, m, func(o Overview) error {
		if o.Expired(op.Now) {
			return &Refusal{Reason: ErrExpired, Outcome: OutcomeRefused}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, session := range to {
		s.Ring(r.Conversation, session)
	}
	return sent, nil
}

func validateSay(r SayRequest) error {
	for i, session := range r.To {
		if session != SessionA && session != SessionB {
			return Invalid("to", "must be sessions of the conversation: a, b")
		}
		if slices.Contains(r.To[:i], session) {
			return Invalid("to", "names a session twice")
		}
	}
	return validateSend(SendRequest{Text: r.Text, Action: ActionInfo})
}
