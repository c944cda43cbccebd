package bridge

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// Credentials are the three values with which a session proves itself.
type Credentials struct {
	Conversation string
	Session      SessionID
	Token        string
}

// Details are what an audit entry says beyond who did what. They never hold a
// secret or a message's text.
type Details map[string]any

// Operation says who does what, for the audit log and the limits. A store
// charges it and records it in the transaction that carries it out.
type Operation struct {
	Now          time.Time
	Actor        string // a session, "operator" or "system"
	Conversation string
	Action       string
	// Details are completed by the store with what it alone knows, such as the
	// number that a message got.
	Details Details
	// Charges are taken all, or none.
	Charges []Charge
	// Begins reports that the operation makes a conversation: it is refused while
	// everything is paused.
	Begins bool
	// Outside reports that the caller may not act in this conversation (Within), or, of
	// an operation that begins one, that it may begin none.
	Outside bool
}

// Proof is what a store knows of the session that a caller claims to be. The
// zero Proof stands for an unknown one.
type Proof struct {
	Nonce     []byte
	ExpiresAt time.Time
	// ExpirySeal is of ExpiresAt.
	ExpirySeal []byte
	// Paused reports that the operator has paused the conversation.
	Paused bool
	// SeenAt is the session's last sign of life.
	SeenAt time.Time
	// Clock is the store's, also for an unknown session.
	Clock Clock
}

// Expired reports whether the conversation takes nothing new.
func (p Proof) Expired(now time.Time) bool { return !p.Clock.Time(now).Before(p.ExpiresAt) }

// Gate is an operation of a session, which has to prove itself first. The store
// does all of it in one transaction, in this order:
//
//  1. Prove says whether the caller is who it claims to be. If not, the store
//     charges Failures and answers ErrUnauthorized, or a RateLimitError. So it
//     does for a conversation that expired longer than Grace ago; within Grace the
//     answer is an ExpiredError, except for what only reads. Where the end was
//     moved, a genuine caller is told so: ErrExpiryMoved. A genuine caller whose
//     access key is for other conversations gets ErrOutOfBounds, until Grace is over.
//  2. Charge is taken; over the limit, the answer is a RateLimitError.
//  3. The operation is carried out, or refused: then Refusal.Cost is taken.
//  4. An audit entry says how it ended, in each of the cases above. (Of a flood
//     of refusals the first are logged and the rest counted in a later entry.)
//
// What is decided at each step is a pure function of what the store has loaded:
// Admit, Charge.Take and Refusal.Settle.
type Gate struct {
	Operation
	Session SessionID
	// Prove reports whether the token is genuine. It is pure and takes the same
	// time for every answer.
	Prove func(Proof) bool
	// Ends reports whether the end of the conversation is the one that was set.
	// Like Prove it is pure.
	Ends     func(Proof) bool
	Failures Charge
	// Changes reports that the call changes something: it is refused while paused.
	Changes bool
	// Repeat is charged instead of Charge for a call that was answered before.
	Repeat Charge
	// Beside marks a call of what runs beside an agent. It is not a sign of the
	// agent's life.
	Beside bool
	// Late lets the call through in the Grace of an expired conversation.
	Late bool
}

// Grace is how long the sessions of an expired conversation may read what is in it.
const Grace = 24 * time.Hour

// lateActions are what an expired conversation still answers: they change nothing
// but read marks. "" is a read that is not a call.
var lateActions = map[string]bool{
	"": true, "check_messages": true, "get_history": true, "check_partner_status": true, "list_tasks": true, "list_conversations": true,
	"file_read": true, ReadAction: true,
}

// SignOfLife reports whether the call is to be noted as the session's last sign
// of life.
func (g Gate) SignOfLife(p Proof) bool { return !g.Beside && signOfLifeDue(p.SeenAt, g.Now) }

// Admit lets through who proves to be the session of a conversation that lives,
// and refuses everybody else.
func (g Gate) Admit(p Proof) error {
	proven, ends := g.Prove(p), g.Ends(p) // both, whether the conversation is there or not
	switch until := p.ExpiresAt.Add(Grace); {
	case proven && g.Outside && (!ends || p.Clock.Time(g.Now).Before(until)):
		return outOfBounds(g.Repeat)
	case proven && !ends:
		return &Refusal{Reason: ErrExpiryMoved, Outcome: OutcomeRefused, Flood: g.Repeat.flood()}
	case !proven || !p.Clock.Time(g.Now).Before(until):
		return &Refusal{Reason: ErrUnauthorized, Outcome: OutcomeUnauthorized, Flood: g.Failures, Unproven: true}
	case g.Late || !p.Expired(g.Now):
		return g.unlessPaused(p.Paused)
	default:
		return &Refusal{
			Reason: &ExpiredError{At: p.ExpiresAt, ReadUntil: until}, Outcome: OutcomeExpired,
			Flood: g.Repeat.flood(),
		}
	}
}

// Admit refuses to begin a conversation while the operator has paused all of them, and
// to a caller that is bound to others. It is pure. The refusal costs nothing, and is
// logged until there are too many.
func (op Operation) Admit(paused bool) error {
	if op.Begins && op.Outside {
		return outOfBounds(op.Charges[0])
	}
	if !op.Begins || !paused {
		return nil
	}
	return &Refusal{Reason: ErrAllPaused, Outcome: OutcomeRefused, Flood: op.Charges[0].flood()}
}

// outOfBounds refuses a call of a caller that is bound to other conversations. It costs
// nothing, and is logged until there are too many.
func outOfBounds(c Charge) *Refusal {
	return &Refusal{Reason: ErrOutOfBounds, Outcome: OutcomeRefused, Flood: c.flood()}
}

// unlessPaused refuses what changes something in a conversation that is paused.
func (g Gate) unlessPaused(paused bool) error {
	if paused && g.Changes {
		return &Refusal{Reason: ErrPaused, Outcome: OutcomeRefused, Flood: g.Repeat.flood()}
	}
	return nil
}

// Refuse is the refusal of a call that only the transaction could judge. It costs
// what a call does that was refused before it, which is one read.
func (g Gate) Refuse(reason error, outcome string) error {
	g.Details.Blame(reason)
	return &Refusal{Reason: reason, Outcome: outcome, Cost: g.Repeat, Flood: g.Repeat.flood()}
}

// Admits reports whether Admit lets the caller through.
func (g Gate) Admits(p Proof) bool { return g.Admit(p) == nil }

// failureBuckets bounds the number of buckets that failed proofs can create.
const failureBuckets = 1024

// ConversationPattern is the form of a conversation's id, as a regular expression
// of ECMA 262 (JSON Schema). IsConversationID checks the same.
const ConversationPattern = "^conv_[0-9a-f]{16}$"

// IsConversationID reports whether text has the form of a conversation's id.
func IsConversationID(text string) bool {
	digits, ok := strings.CutPrefix(text, "conv_")
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// WriteGate returns the gate of a call that changes something.
func (s *Service) WriteGate(ctx context.Context, c Credentials, action string) Gate {
	return s.changeGate(ctx, c, action, "write", "sending and other changes", LimitWrites)
}

// StepGate returns the gate of a call that writes into the log of a session's work. It
// has a limit of its own, so that who tells much can still send.
func (s *Service) StepGate(ctx context.Context, c Credentials, action string) Gate {
	return s.changeGate(ctx, c, action, "step", "logging steps", LimitSteps)
}

// changeGate is the gate of a call that changes something, and that one kind of limit is
// for.
func (s *Service) changeGate(ctx context.Context, c Credentials, action, name, what string, kind LimitKind) Gate {
	c = claimed(c)
	g := s.gate(ctx, c, action, Charge{Bucket: bucket(name, c.Conversation, c.Session), What: what, Kind: kind})
	g.Changes = true
	return g
}

// ReadGate returns the gate of a call that only reads.
func (s *Service) ReadGate(ctx context.Context, c Credentials, action string) Gate {
	c = claimed(c)
	return s.gate(ctx, c, action, s.ReadCharge(c.Conversation, c.Session))
}

// BesideGate is ReadGate for what runs beside an agent, such as its keepalive:
// it must not use up what the agent itself may read.
func (s *Service) BesideGate(ctx context.Context, c Credentials, action string) Gate {
	c = claimed(c)
	charge := s.ReadCharge(c.Conversation, c.Session)
	charge.Bucket = bucket("beside", c.Conversation, c.Session)
	g := s.gate(ctx, c, action, charge)
	g.Beside = true
	return g
}

// bucket names what is limited of a session.
func bucket(kind, conversation string, session SessionID) string {
	return kind + "/" + conversation + "/" + string(session)
}

// Buckets lists the buckets of a conversation's sessions, which go with it.
func Buckets(conversation string, sessions []SessionID) (all []string) {
	for _, session := range sessions {
		for _, kind := range []string{"write", "step", "read", "beside"} {
			name := bucket(kind, conversation, session)
			all = append(all, name, flooded(name))
		}
	}
	return all
}

// ReadCharge counts a call against what a session may read.
func (s *Service) ReadCharge(conversation string, session SessionID) Charge {
	return Charge{
		Bucket: bucket("read", conversation, session),
		What:   "reading",
		Kind:   LimitReads,
	}
}

// claimed is what a caller says of itself, as it may reach the store, its server and
// the audit log: only values of the right form, because anything else might be a
// secret in the wrong argument. No session has such a name.
func claimed(c Credentials) Credentials {
	if !IsConversationID(c.Conversation) {
		c.Conversation = "(malformed)"
	}
	if !c.Session.Valid() {
		c.Session = "?"
	}
	return c
}

// gate takes what claimed returns.
func (s *Service) gate(ctx context.Context, c Credentials, action string, charge Charge) Gate {
	now := s.Now()
	g := Gate{
		Operation: Operation{
			Now:          now,
			Actor:        string(c.Session),
			Conversation: c.Conversation,
			Action:       action,
			Details:      Details{},
			Charges:      []Charge{charge},
			Outside:      outside(ctx, c.Conversation),
		},
		Session: c.Session,
		Prove: func(p Proof) bool {
			return s.tokens.Verify(c.Token, c.Conversation, string(c.Session), p.Nonce)
		},
		Ends:     func(p Proof) bool { return s.ends.Genuine(c.Conversation, p.ExpiresAt, p.ExpirySeal) },
		Late:     lateActions[action],
		Failures: s.failures(c.Conversation),
		Repeat:   s.ReadCharge(c.Conversation, c.Session),
	}
	if g.Outside {
		g.Details["caller"] = s.callerOf(ctx) // whose key to look at
	}
	return g
}

// Proves checks whether g would be let through.
func (s *Service) Proves(ctx context.Context, g Gate) (bool, error) {
	view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	return g.Admits(view.Proof), err
}

// Standing is what any answer may tell a session beside its own facts.
type Standing struct {
	// Now is the time that it is about.
	Now       time.Time
	ExpiresAt time.Time
	// Unread counts the messages that wait for it.
	Unread int64
	// Shared are files that others named, after it did, and of which it was not told
	// yet. See Told.
	Shared Shared
}

// Left is how long the conversation lives; 0 where it has expired.
func (s Standing) Left() time.Duration { return max(s.ExpiresAt.Sub(s.Now), 0) }

// Standing reads how a session stands, for an answer that tells of something
// else. It is false for who cannot prove to be that session.
func (s *Service) Standing(ctx context.Context, c Credentials) (Standing, bool) {
	g := s.ReadGate(ctx, c, "")
	view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	if err != nil || !g.Admits(view.Proof) {
		return Standing{}, false // a gateway sends all that is returned
	}
	return Standing{Now: view.Clock.Time(g.Now), ExpiresAt: view.ExpiresAt, Unread: view.Waiting(g.Now), Shared: view.Shared}, true
}

// failures returns the charge of a failed proof. The bucket depends only on
// what was claimed, so that a refusal does not tell whether it exists.
func (s *Service) failures(claimed string) Charge {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(claimed))
	return Charge{
		Bucket: fmt.Sprintf("failures/%d", hash.Sum32()%failureBuckets),
		What:   "failing to prove a session",
		Kind:   LimitFailures,
	}
}

// Refuse lets the call g fail with reason. It is authenticated and recorded as
// any other: a caller that cannot prove itself learns nothing of the reason.
func (s *Service) Refuse(ctx context.Context, g Gate, reason error) error {
	g.Charges = []Charge{s.ReadCharge(g.Conversation, g.Session)}
	g.Details.Blame(reason)
	if err := s.store.Refuse(ctx, g); err != nil {
		return err
	}
	return reason
}

// refuseOperation is refuse for an operation that needs no proof. Like Refuse it
// uses nothing of what a good call needs.
func (s *Service) refuseOperation(ctx context.Context, op Operation, reason error) error {
	op.Charges = []Charge{{Bucket: "invalid/" + s.callerOf(ctx), What: "calls with wrong arguments", Kind: LimitReads}}
	if caller, ok := ctx.Value(callerKey{}).(string); ok {
		op.Details["caller"] = caller // of another machine
	}
	op.Details.Blame(reason)
	if err := s.store.RefuseOperation(ctx, op); err != nil {
		return err
	}
	return reason
}

// Blame notes which argument was at fault.
func (d Details) Blame(reason error) {
	var bad *InvalidError
	if errors.As(reason, &bad) {
		d["argument"] = bad.Field
	}
}

// RefuseCall records that a session's call to action was refused by an adapter
// before it reached the domain, for example because an argument has the wrong
// type. It returns reason, or what the gate says.
func (s *Service) RefuseCall(ctx context.Context, c Credentials, action string, reason error) error {
	return s.Refuse(ctx, s.ReadGate(ctx, c, namedAction(action)), reason)
}

// RefuseOpenCall is RefuseCall for an action that needs no credentials.
func (s *Service) RefuseOpenCall(ctx context.Context, action string, reason error) error {
	return s.refuseOperation(ctx, Operation{Now: s.Now(), Actor: "?", Action: namedAction(action), Details: Details{}}, reason)
}

// namedAction is what is recorded of the name of an action: an adapter on another
// machine says which one it refused, and may make up any text.
func namedAction(action string) string {
	if action == "" || len(action) > 40 || strings.Trim(action, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "?"
	}
	return action
}
