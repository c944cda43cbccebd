package bridge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/cleantext"
)

// Limits of a conversation (PRODUCTION.md, Limits).
const (
	MinRoleLength = 1   // characters, as Characters counts them
	MaxRoleLength = 100 // characters
	MaxTeamLength = 100 // characters

	DefaultTTL = 3 * time.Hour
	MinTTL     = time.Minute
	MaxTTL     = 7 * 24 * time.Hour

	// JoinCodeTTL is how long a join code is valid.
	JoinCodeTTL = 10 * time.Minute
)

// Conversation is a set of sessions, two or more, that exchange messages until it
// expires.
type Conversation struct {
	ID string
	// Team is the orchestrator's name for a group of its conversations; it may
	// be empty. TeamID distinguishes teams of the same name.
	Team, TeamID string
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Expired reports whether the conversation no longer accepts anything.
func (c Conversation) Expired(now time.Time) bool { return !now.Before(c.ExpiresAt) }

// NewConversation is what a store keeps of a new conversation.
type NewConversation struct {
	Conversation
	// A and B are its first two sessions.
	A, B NewSession
	// ExpirySeal is the seal of ExpiresAt. From sets it.
	ExpirySeal []byte

	ends ExpirySealer
}

// NewSession is what a store keeps of a new session.
type NewSession struct {
	NewNonce
	Role string
	// JoinHash is the hash of its join code, which is valid until
	// JoinExpiresAt; nil if it has none.
	JoinHash      []byte
	JoinExpiresAt time.Time
}

// From returns c with its times converted from a process's clock to the store's.
func (c NewConversation) From(at time.Time) NewConversation {
	ahead := at.Sub(c.CreatedAt)
	c.CreatedAt, c.ExpiresAt, c.B.JoinExpiresAt = at, c.ExpiresAt.Add(ahead), c.B.JoinExpiresAt.Add(ahead)
	c.ExpirySeal = c.ends.Seal(c.ID, c.ExpiresAt)
	return c
}

// CreateRequest holds the arguments of Create.
type CreateRequest struct {
	MyRole, PartnerRole string
	// TTL is the lifetime of the conversation. Zero means DefaultTTL.
	TTL  time.Duration
	Team string
	// Holds are sessions that the caller can prove. The new conversation joins the
	// team of the first of them that is session "a" of a conversation with the same
	// Team. There may be at most MaxTogether.
	Holds []Credentials
}

// Created is the result of Create: everything that the two agents need.
type Created struct {
	Conversation
	// Role is the caller's role.
	Role, PartnerRole string
	// TokenA is the caller's token, TokenB the partner's.
	TokenA, TokenB string
	// JoinCode gets the partner its token, once, until JoinExpiresAt.
	JoinCode      string
	JoinExpiresAt time.Time
	// Redacted names the kinds of secrets that were hidden in the roles and the
	// team.
	Redacted []string
}

// Create creates a conversation. The caller becomes session "a".
func (s *Service) Create(ctx context.Context, r CreateRequest) (Created, error) {
	op := s.createOperation(ctx)
	ttl, err := validateCreate(r)
	if err != nil {
		return Created{}, s.refuseOperation(ctx, op, err)
	}
	hide, code := s.Redaction(ctx), auth.NewJoinCode()
	c := s.newConversation(r, op.Now, ttl, code, hide)
	if hide.Err() != nil {
		return Created{}, hide.Err()
	}
	if c.TeamID, err = s.teamFor(ctx, c, r.Holds); err != nil {
		return Created{}, err
	}
	op.Conversation = c.ID
	op.Details["role_a"], op.Details["role_b"] = c.A.Role, c.B.Role
	if c.Team != "" {
		op.Details["team"], op.Details["team_id"] = c.Team, c.TeamID
	}
	if c, err = s.store.CreateConversation(ctx, op, c); err != nil {
		return Created{}, err
	}
	return Created{
		Conversation:  c.Conversation,
		Role:          c.A.Role,
		PartnerRole:   c.B.Role,
		TokenA:        s.tokens.Issue(c.ID, string(SessionA), c.A.Nonce),
		TokenB:        s.tokens.Issue(c.ID, string(SessionB), c.B.Nonce),
		JoinCode:      code,
		JoinExpiresAt: c.B.JoinExpiresAt,
		Redacted:      hide.Found(),
	}, nil
}

// newConversation returns the conversation that r describes, starting at now, with
// new nonces. Secrets in its texts are hidden by hide, which may fail.
func (s *Service) newConversation(r CreateRequest, now time.Time, ttl time.Duration, code string, hide *Redaction) NewConversation {
	id := newConversationID()
	c := NewConversation{
		Conversation: Conversation{ID: id, CreatedAt: now, ExpiresAt: now.Add(ttl)},
		A:            NewSession{NewNonce: s.newNonce(id, SessionA), Role: hide.Text(r.MyRole)},
		B: NewSession{
			NewNonce: s.newNonce(id, SessionB), Role: hide.Text(r.PartnerRole),
			JoinHash: s.codes.Hash(code), JoinExpiresAt: now.Add(min(JoinCodeTTL, ttl)),
		},
		ends: s.ends,
	}
	c.Team = hide.Text(r.Team)
	return c
}

func (s *Service) createOperation(ctx context.Context) Operation {
	op := Operation{
		Now:     s.Now(),
		Actor:   string(SessionA),
		Action:  "create_conversation",
		Details: Details{},
		Begins:  true,
		Outside: len(bounds(ctx)) > 0,
		Charges: []Charge{
			{Bucket: "create/" + s.callerOf(ctx), What: "creating conversations from one process", Kind: LimitCreator},
			{Bucket: "create", What: "creating conversations", Kind: LimitCreates},
		},
	}
	if op.Outside {
		op.Details["caller"] = s.callerOf(ctx)
	}
	return op
}

func validateCreate(r CreateRequest) (time.Duration, error) {
	for _, role := range []struct{ field, text string }{{"my_role", r.MyRole}, {"partner_role", r.PartnerRole}} {
		if err := validateRole(role.field, role.text); err != nil {
			return 0, err
		}
	}
	if !cleantext.Within(r.Team, MaxTeamLength) {
		return 0, Invalid("team", "must have at most %d characters, it has %d", MaxTeamLength, cleantext.Characters(r.Team))
	}
	if len(r.Holds) > MaxTogether {
		return 0, Invalid("token", "must be for at most %d conversations, it is for %d", MaxTogether, len(r.Holds))
	}
	if r.TTL == 0 {
		return DefaultTTL, nil
	}
	if r.TTL < MinTTL || r.TTL > MaxTTL {
		return 0, Invalid("ttl_minutes", "must be %d to %d", int(MinTTL.Minutes()), int(MaxTTL.Minutes()))
	}
	return r.TTL, nil
}

func validateRole(field, role string) error {
	if n := cleantext.Characters(role); n < MinRoleLength || !cleantext.Within(role, MaxRoleLength) {
		return Invalid(field, "must have %d to %d visible characters, it has %d", MinRoleLength, MaxRoleLength, n)
	}
	return nil
}

func newConversationID() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return "conv_" + hex.EncodeToString(random)
}

// Joined is the result of Join.
type Joined struct {
	Conversation
	Session SessionID
	Token   string
	// Roster lists the sessions, including the caller's.
	Roster Roster
	// Unread counts the messages waiting for the caller.
	Unread int64
}

// Join redeems a join code: the caller becomes the session that the code was made
// for. A code works once. The error is ErrBadJoinCode, ErrJoinCodeUsed,
// ErrJoinCodeExpired, or a RateLimitError after too many of these errors from the
// same caller. Failures of other codes never cause a valid code to be refused.
func (s *Service) Join(ctx context.Context, code string) (Joined, error) {
	op := Operation{
		Now:     s.Now(),
		Actor:   "?",
		Action:  "join_conversation",
		Details: Details{},
	}
	if _, ok := JoinCode(code); !ok {
		return Joined{}, s.refuseOperation(ctx, op, Invalid("join_code", "must be a code such as 7KQ2M-X9D4T, of ten letters and digits"))
	}
	failures := Charge{Bucket: "failures/join/" + s.callerOf(ctx), What: "failing to join", Kind: LimitFailures}
	c, err := s.store.JoinConversation(ctx, op, s.codes.Hash(code), s.redeemRule(ctx, op, failures))
	if err != nil {
		return Joined{}, err
	}
	s.Ring(c.ID, Work)
	return Joined{
		Conversation: c.Conversation,
		Session:      c.Session,
		Token:        s.tokens.Issue(c.ID, string(c.Session), c.Nonce),
		Roster:       c.Roster,
		Unread:       c.Unread,
	}, nil
}

// Invitation is what a store knows about a join code; zero for an unknown code.
type Invitation struct {
	Conversation
	// Session is the session that the code is for. JoinedAt is when the code
	// was redeemed, and JoinExpiresAt when it expires.
	Session                 SessionID
	JoinedAt, JoinExpiresAt time.Time
	ExpirySeal              []byte
	Nonce                   []byte
	Roster                  Roster
	Unread                  int64
	// Paused reports that the operator has paused the conversation.
	Paused bool
	Clock  Clock
}

// An InvitationRule decides whether an invitation may be redeemed. Its error is
// nil or a Refusal. It is pure.
type InvitationRule func(Invitation) error

// redeemRule lets a code be redeemed once, before it and its conversation expire, and
// not while the operator has paused the conversation. A caller bound to other
// conversations cannot redeem it. A wrong code proves nothing, so its failures are
// charged.
func (s *Service) redeemRule(ctx context.Context, op Operation, failures Charge) InvitationRule {
	return func(i Invitation) error {
		refuse := func(reason error) error {
			return &Refusal{Reason: reason, Outcome: OutcomeUnauthorized, Flood: failures, Unproven: true}
		}
		switch at := i.Clock.Time(op.Now); {
		case i.ID == "":
			return refuse(ErrBadJoinCode)
		case outside(ctx, i.ID): // the code stays valid
			op.Details["caller"] = s.callerOf(ctx)
			return &Refusal{Reason: ErrOutOfBounds, Outcome: OutcomeRefused, Flood: failures}
		case !s.ends.Genuine(i.ID, i.ExpiresAt, i.ExpirySeal):
			return &Refusal{Reason: ErrExpiryMoved, Outcome: OutcomeRefused, Flood: failures}
		case !i.JoinedAt.IsZero():
			return refuse(ErrJoinCodeUsed)
		case !at.Before(i.JoinExpiresAt) || i.Expired(at):
			return refuse(ErrJoinCodeExpired)
		case i.Paused: // the code stays valid
			return &Refusal{Reason: ErrPaused, Outcome: OutcomeRefused, Flood: failures}
		}
		return nil
	}
}

// Earlier returns the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// JoinCode finds the join code in typed or pasted text, and returns it in the
// form in which Create writes it. It does not check whether the code is valid.
func JoinCode(text string) (code string, ok bool) { return auth.ReadJoinCode(text) }

// NewResumeCode returns a new code with which an agent can return to its session.
func NewResumeCode() string { return auth.NewResumeCode() }

// ResumeCode finds the resume code in an agent's argument. ok is false unless there is
// exactly one.
func ResumeCode(text string) (code string, ok bool) { return auth.ReadResumeCode(text) }
