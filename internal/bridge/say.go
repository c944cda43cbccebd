package bridge

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"
)

// SayRequest is a message from the operator.
type SayRequest struct {
	Conversation string
	// To names the receiving sessions. If it is empty or Everyone, all sessions
	// of the conversation receive the message.
	To   []SessionID
	Text string
}

// A SayRule returns the sessions that receive a message from the operator, given a
// conversation's state at the store's time now. Its error is nil or a Refusal. It is pure.
type SayRule func(o Overview, now time.Time) (Recipients, error)

// Say stores a message from the operator, which agents are shown as trusted. The
// caller must have made sure that a human at a terminal sends it; Say cannot check
// that. The message is charged to nobody, and can be sent to paused conversations.
// The error may be ErrNotFound, ErrExpired or an InvalidError.
func (s *Service) Say(ctx context.Context, r SayRequest) ([]Sent, error) {
	op := s.OperatorOperation("say", r.Conversation)
	if err := validateSay(r); err != nil {
		return nil, s.refuseOperation(ctx, op, err)
	}
	hide := s.Redaction(ctx)
	text := hide.Text(r.Text)
	if hide.Err() != nil {
		return nil, hide.Err()
	}
	op.Details["characters"] = utf8.RuneCountInString(r.Text)
	m := NewMessage{Action: ActionInfo, Text: text, Redacted: hide.Found()}
	sent, err := s.store.Say(ctx, op, m, sayRule(op, r.To))
	if err != nil {
		return nil, err
	}
	for _, one := range sent {
		s.ringAll(r.Conversation, one.Recipients())
	}
	return sent, nil
}

func sayRule(op Operation, named []SessionID) SayRule {
	return func(o Overview, now time.Time) (to Recipients, err error) {
		if o.Expired(now) {
			return nil, &Refusal{Reason: ErrExpired, Outcome: OutcomeRefused}
		}
		if len(named) == 0 || slices.Contains(named, Everyone) {
			to = o.Sessions.Partners("").IDs()
		} else if to, err = o.Sessions.named("", named); err != nil {
			return nil, RefuseInvalid(op, err)
		}
		op.Details["to"] = to
		return to, nil
	}
}

func validateSay(r SayRequest) error {
	return validateSend(SendRequest{Text: r.Text, To: r.To, Action: ActionInfo})
}
