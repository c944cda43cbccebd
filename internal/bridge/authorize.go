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

// Details hold what an audit entry records beyond actor and action. They never
// hold a secret or a message's text.
type Details map[string]any

// Operation describes an action and its actor, for the audit log and the
// limits. A store charges it and records it in the transaction that carries it
// out.
type Operation struct {
	Now          time.Time
	Actor        string // a session, "operator" or "system"
	Conversation string
	Action       string
	// Details are completed by the store with what only it knows, such as the
	// number assigned to a message.
	Details Details
	// Charges are either all taken or none is.
	Charges []Charge
	// Begins reports that the operation creates a conversation. It is refused
	// while everything is paused.
	Begins bool
	// Outside reports that the caller may not act in this conversation (see Within) or,
	// if the operation creates a conversation, that it may not create one.
	Outside bool
}

// Proof is what a store knows about the session that a caller claims to be. The
// zero Proof stands for an unknown session.
type Proof struct {
	Nonce     []byte
	ExpiresAt time.Time
	// ExpirySeal is the seal of ExpiresAt.
	ExpirySeal []byte
	// Paused reports that the operator has paused the conversation.
	Paused bool
	// SeenAt is the session's last sign of life.
	SeenAt time.Time
	// Clock is the store's clock. It is set for an unknown session too.
	Clock Clock
}

// Expired reports whether the conversation no longer accepts anything new.
func (p Proof) Expired(now time.Time) bool { return !p.Clock.Time(now).Before(p.ExpiresAt) }

// Gate is an operation of a session, which must prove its identity first. The store
// does all of it in one transaction, in this order:
//
//  1. Prove checks the caller's identity. If it fails, the store charges Failures and
//     returns ErrUnauthorized or a RateLimitError. The same applies to a conversation
//     that expired more than Grace ago; within Grace, every call that is not
//     read-only gets an ExpiredError. If the end of the conversation was tampered
//     with, a genuine caller gets ErrExpiryMoved. A genuine caller whose access key
//     is for other conversations gets ErrOutOfBounds, until Grace is over.
//  2. Charge is taken. Over the limit, the result is a RateLimitError.
//  3. The operation is carried out, or it is refused and Refusal.Cost is taken.
//  4. An audit entry records the outcome, in each of the cases above. (In a flood of
//     refusals, the first are logged and the rest are counted in a later entry.)
//
// The decision at each step is a pure function of what the store has loaded: Admit,
// Charge.Take and Refusal.Settle.
type Gate struct {
	Operation
	Session SessionID
	// Prove reports whether the token is genuine. It is pure and takes the same
	// time whatever the result.
	Prove func(Proof) bool
	// Ends reports whether the end of the conversation was set by bridge. Like
	// Prove, it is pure.
	Ends     func(Proof) bool
	Failures Charge
	// Changes reports that the call changes something: it is refused while paused.
	Changes bool
	// Repeat is charged instead of Charge if the call was answered before.
	Repeat Charge
	// Beside marks a call of a process that runs alongside an agent. It does
	// not count as a sign of life of the agent.
	Beside bool
	// Late lets the call through within Grace after the conversation expired.
	Late bool
}

// Grace is how long the sessions of an expired conversation may still read it.
const Grace = 24 * time.Hour

// lateActions are the actions that an expired conversation still accepts: they
// change nothing but read marks. "" is a read that is not a call.
var lateActions = map[string]bool{
	"": true, "check_messages": true, "get_history": true, "check_partner_status": true, "list_tasks": true, "list_conversations": true,
	"file_read": true, ReadAction: true,
}

// SignOfLife reports whether the call has to be recorded as the session's last
// sign of life.
func (g Gate) SignOfLife(p Proof) bool { return !g.Beside && signOfLifeDue(p.SeenAt, g.Now) }

// Admit returns nil if the caller proves to be a session of a conversation that
// has not expired, and a Refusal otherwise.
func (g Gate) Admit(p Proof) error {
	proven, ends := g.Prove(p), g.Ends(p) // both, whether or not the conversation exists
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

// Admit refuses to create a conversation while the operator has paused all of them,
// and if the caller is bound to other conversations. It is pure. The refusal costs
// nothing, and is logged until there are too many.
func (op Operation) Admit(paused bool) error {
	if op.Begins && op.Outside {
		return outOfBounds(op.Charges[0])
	}
	if !op.Begins || !paused {
		return nil
	}
	return &Refusal{Reason: ErrAllPaused, Outcome: OutcomeRefused, Flood: op.Charges[0].flood()}
}

// outOfBounds returns the refusal of a caller that is bound to other conversations. It
// costs nothing, and is logged until there are too many.
func outOfBounds(c Charge) *Refusal {
	return &Refusal{Reason: ErrOutOfBounds, Outcome: OutcomeRefused, Flood: c.flood()}
}

// unlessPaused refuses a call that changes something while the conversation is
// paused.
func (g Gate) unlessPaused(paused bool) error {
	if paused && g.Changes {
		return &Refusal{Reason: ErrPaused, Outcome: OutcomeRefused, Flood: g.Repeat.flood()}
	}
	return nil
}

// Refuse returns the refusal of a call that could only be judged inside the
// transaction. It costs one read, as does a call that is refused earlier.
func (g Gate) Refuse(reason error, outcome string) error {
	g.Details.Blame(reason)
	return &Refusal{Reason: reason, Outcome: outcome, Cost: g.Repeat, Flood: g.Repeat.flood()}
}

// Admits reports whether Admit lets the caller through.
func (g Gate) Admits(p Proof) bool { return g.Admit(p) == nil }

// failureBuckets bounds the number of buckets that failed proofs can create.
const failureBuckets = 1024

// ConversationPattern is the form of a conversation's ID, as a regular expression of
// ECMA 262 (JSON Schema). IsConversationID checks the same.
const ConversationPattern = "^conv_[0-9a-f]{16}$"

// IsConversationID reports whether text has the form of a conversation's ID.
func IsConversationID(text string) bool {
	digits, ok := strings.CutPrefix(text, "conv_")
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// WriteGate returns the gate of a call that changes something.
func (s *Service) WriteGate(ctx context.Context, c Credentials, action string) Gate {
	return s.changeGate(ctx, c, action, "write", "sending and other changes", LimitWrites)
}

// StepGate returns the gate of a call that writes to the log of a session's work. It
// has a limit of its own, so that a session that logs a lot can still send.
func (s *Service) StepGate(ctx context.Context, c Credentials, action string) Gate {
	return s.changeGate(ctx, c, action, "step", "logging steps", LimitSteps)
}

// changeGate returns the gate of a call that changes something and counts against the
// given kind of limit.
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

// BesideGate is ReadGate for a process that runs alongside an agent, such as
// its keepalive, which must not use up the agent's own limit.
func (s *Service) BesideGate(ctx context.Context, c Credentials, action string) Gate {
	c = claimed(c)
	charge := s.ReadCharge(c.Conversation, c.Session)
	charge.Bucket = bucket("beside", c.Conversation, c.Session)
	g := s.gate(ctx, c, action, charge)
	g.Beside = true
	return g
}

// bucket returns the name under which one kind of calls of a session is
// counted.
func bucket(kind, conversation string, session SessionID) string {
	return kind + "/" + conversation + "/" + string(session)
}

// Buckets lists the buckets of a conversation's sessions, which are removed
// with it.
func Buckets(conversation string, sessions []SessionID) (all []string) {
	for _, session := range sessions {
		for _, kind := range []string{"write", "step", "read", "beside"} {
			name := bucket(kind, conversation, session)
			all = append(all, name, flooded(name))
		}
	}
	return all
}

// ReadCharge returns the charge for a call that counts against a session's read
// limit.
func (s *Service) ReadCharge(conversation string, session SessionID) Charge {
	return Charge{
		Bucket: bucket("read", conversation, session),
		What:   "reading",
		Kind:   LimitReads,
	}
}

// claimed returns the caller's claims in a form that may reach the store, its server
// and the audit log. A value that does not have the right form is replaced, because
// it might be a secret passed in the wrong argument. No session has the name that
// replaces it.
func claimed(c Credentials) Credentials {
	if !IsConversationID(c.Conversation) {
		c.Conversation = "(malformed)"
	}
	if !c.Session.Valid() {
		c.Session = "?"
	}
	return c
}

// gate expects credentials returned by claimed.
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
		g.Details["caller"] = s.callerOf(ctx) // which caller's key to check
	}
	return g
}

// Proves reports whether g would be admitted.
func (s *Service) Proves(ctx context.Context, g Gate) (bool, error) {
	view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	return g.Admits(view.Proof), err
}

// Standing is what every answer may tell a session in addition to its own
// content.
type Standing struct {
	// Now is the store's time at which the rest was read.
	Now       time.Time
	ExpiresAt time.Time
	// Unread counts the messages waiting for the session.
	Unread int64
	// Shared are files that others named after the session did, and that it has not
	// been told about yet. See Told.
	Shared Shared
}

// Left returns the time until the conversation expires; 0 if it has expired.
func (s Standing) Left() time.Duration { return max(s.ExpiresAt.Sub(s.Now), 0) }

// Standing returns the standing of a session, to be added to the answer of
// another call. It returns false if the caller cannot prove to be that session.
func (s *Service) Standing(ctx context.Context, c Credentials) (Standing, bool) {
	g := s.ReadGate(ctx, c, "")
	view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	if err != nil || !g.Admits(view.Proof) {
		return Standing{}, false // a gateway sends everything that is returned
	}
	return Standing{Now: view.Clock.Time(g.Now), ExpiresAt: view.ExpiresAt, Unread: view.Waiting(g.Now), Shared: view.Shared}, true
}

// failures returns the charge of a failed proof. The bucket depends only on the
// claimed ID, so that a refusal does not reveal whether the conversation
// exists.
func (s *Service) failures(claimed string) Charge {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(claimed))
	return Charge{
		Bucket: fmt.Sprintf("failures/%d", hash.Sum32()%failureBuckets),
		What:   "failing to prove a session",
		Kind:   LimitFailures,
	}
}

// Refuse makes the call g fail with reason. The call is authenticated and
// recorded like any other: a caller that cannot prove its identity does not get
// the reason.
func (s *Service) Refuse(ctx context.Context, g Gate, reason error) error {
	g.Charges = []Charge{s.ReadCharge(g.Conversation, g.Session)}
	g.Details.Blame(reason)
	if err := s.store.Refuse(ctx, g); err != nil {
		return err
	}
	return reason
}

// refuseOperation is Refuse for an operation that needs no proof. It counts
// against a limit of its own, so that refused calls use up nothing that good
// calls need.
func (s *Service) refuseOperation(ctx context.Context, op Operation, reason error) error {
	op.Charges = []Charge{{Bucket: "invalid/" + s.callerOf(ctx), What: "calls with wrong arguments", Kind: LimitReads}}
	if caller, ok := ctx.Value(callerKey{}).(string); ok {
		op.Details["caller"] = caller // the caller is on another machine
	}
	op.Details.Blame(reason)
	if err := s.store.RefuseOperation(ctx, op); err != nil {
		return err
	}
	return reason
}

// Blame records which argument was invalid.
func (d Details) Blame(reason error) {
	var bad *InvalidError
	if errors.As(reason, &bad) {
		d["argument"] = bad.Field
	}
}

// RefuseCall records that an adapter refused a session's call before it reached
// the domain, for example because an argument has the wrong type. It returns
// reason, or the error of the gate.
func (s *Service) RefuseCall(ctx context.Context, c Credentials, action string, reason error) error {
	return s.Refuse(ctx, s.ReadGate(ctx, c, namedAction(action)), reason)
}

// RefuseOpenCall is RefuseCall for an action that needs no credentials.
func (s *Service) RefuseOpenCall(ctx context.Context, action string, reason error) error {
	return s.refuseOperation(ctx, Operation{Now: s.Now(), Actor: "?", Action: namedAction(action), Details: Details{}}, reason)
}

// namedAction returns action as it is recorded, or "?" if it does not look like
// the name of one: an adapter on another machine names the action it refused and
// may send any text.
func namedAction(action string) string {
	if action == "" || len(action) > 40 || strings.Trim(action, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "?"
	}
	return action
}
