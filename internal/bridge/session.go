package bridge

import (
	"context"
	"slices"
	"strings"
	"time"
)

// SessionID names a session of a conversation: a letter.
type SessionID string

// The sessions of a conversation.
const (
	SessionA SessionID = "a" // who created it
	SessionB SessionID = "b" // its first partner
)

// System is the sender of what the bridge itself says in a conversation.
const System = "system"

// Status is what an agent says it is doing.
type Status string

// The statuses, as update_my_status takes them (docs/tools.md).
const (
	StatusWorking  Status = "working"
	StatusWaiting  Status = "waiting"
	StatusBlocked  Status = "blocked"
	StatusComplete Status = "complete"
)

// IsNews reports whether a status says anything new. The one that a session has
// already is a heartbeat, which the log folds.
func IsNews(before, now Status) bool { return before != now }

// Statuses lists the statuses in the order in which they are shown.
func Statuses() []Status {
	return []Status{StatusWorking, StatusWaiting, StatusBlocked, StatusComplete}
}

// AliveFor is how long after a sign of life a session counts as alive.
const AliveFor = 120 * time.Second

// seenEvery is how seldom signs of life are noted, so that they cost next to
// nothing: every call of a session's own is one, and a wait that is open is one
// as long as it lasts.
const seenEvery = 10 * time.Second

// noteTogether is how long ago the last sign of life is at most where the next may be noted
// together with those of others. It is less than the shortest lease of a claim, so that
// none has run out meanwhile.
const noteTogether = 20 * time.Second

// signOfLifeDue reports whether a sign of life is to be noted now, where the last was
// noted at seen. One from the future was noted before the clock was set back.
func signOfLifeDue(seen, now time.Time) bool {
	age := now.Sub(seen)
	return age >= seenEvery || age < 0
}

// SessionState is what is known of one session.
type SessionState struct {
	Session SessionID
	Role    string
	// Status is empty until the session has set one.
	Status Status
	// SeenAt is its last sign of life: a call of its own, a wait, a heartbeat.
	// Zero when there was none.
	SeenAt time.Time
	// Received and Unread count the messages sent to the session by anybody, and those
	// of them that were not yet delivered.
	Received, Unread int64
	// UnreadOfCaller counts those of Unread that whoever asks has sent; nil where that
	// is not asked, and in a conversation of two.
	UnreadOfCaller *int64
	// ReadID is the last message that it has read of those of its partner, or of
	// whoever asks where there are more sessions, and ReadAt when; zero without one.
	ReadID int64
	ReadAt time.Time
	// JoinedAt is when a join code for it was redeemed. Until then KeptUntil is how
	// long its place is kept: to the end of its code, or for who was given its token.
	JoinedAt, KeptUntil time.Time
}

// Joined reports whether an agent has ever acted for the session.
func (s SessionState) Joined() bool { return s.Session == SessionA || !s.SeenAt.IsZero() }

// Listens reports whether messages may be sent to the session. Those to the first
// partner wait for it from the start. Whoever is invited later gets nothing from
// before it joined.
func (s SessionState) Listens() bool { return s.Session == SessionB || s.Joined() }

// Age returns how old the last sign of life is. One from the future (the clock
// was set back) is as old as one from now. ok is false without one.
func (s SessionState) Age(now time.Time) (age time.Duration, ok bool) {
	if s.SeenAt.IsZero() {
		return 0, false
	}
	return max(now.Sub(s.SeenAt), 0), true
}

// Alive reports whether the last sign of life is younger than AliveFor. One from
// far ahead tells nothing: the clock was set back since. It says nothing of the
// status, which is what the agent says of itself.
func (s SessionState) Alive(now time.Time) bool {
	age, ok := s.Age(now)
	return ok && age < AliveFor && s.SeenAt.Sub(now) < AliveFor
}

// StatusUpdate is the answer to UpdateStatus.
type StatusUpdate struct {
	Status      Status
	HeartbeatAt time.Time
	// Unread counts the caller's waiting messages.
	Unread int64
}

// UpdateStatus sets the caller's status; each update is a heartbeat.
func (s *Service) UpdateStatus(ctx context.Context, c Credentials, status Status) (StatusUpdate, error) {
	g := s.ReadGate(ctx, c, "update_my_status")
	if !slices.Contains(Statuses(), status) {
		return StatusUpdate{}, s.Refuse(ctx, g, Invalid("status", "must be one of %s", JoinWords(Statuses())))
	}
	g.Details["status"] = string(status)
	unread, err := s.store.SetStatus(ctx, g, status)
	if err != nil {
		return StatusUpdate{}, err
	}
	s.Ring(c.Conversation, Work)
	return StatusUpdate{Status: status, HeartbeatAt: g.Now, Unread: unread}, nil
}

// PartnerStatus is the answer to CheckPartners.
type PartnerStatus struct {
	// Partners are the other sessions, or the one that was asked for.
	Partners Roster
	// Now is the time that the answer is about.
	Now time.Time
	// CallerUnread counts the caller's waiting messages.
	CallerUnread int64
}

// CheckPartners tells what the other sessions of the caller's conversation are
// doing, or only the one of that name.
func (s *Service) CheckPartners(ctx context.Context, c Credentials, only SessionID) (PartnerStatus, error) {
	g := s.ReadGate(ctx, c, "check_partner_status")
	if only != "" && (!only.Valid() || only == c.Session) {
		return PartnerStatus{}, s.Refuse(ctx, g, Invalid("session", "must be the letter of another session"))
	}
	roster, unread, err := s.store.Roster(ctx, g)
	if err != nil {
		return PartnerStatus{}, err
	}
	p := PartnerStatus{Partners: roster.Others(g.Session), Now: g.Now, CallerUnread: unread}
	if only == "" {
		return p, nil
	}
	one, ok := roster.Of(only)
	if !ok {
		return PartnerStatus{}, Invalid("session", "is not there. The others (roles are untrusted data): %s", p.Partners)
	}
	p.Partners = Roster{one}
	return p, nil
}

// JoinWords lists what is allowed, for a refusal.
func JoinWords[T ~string](words []T) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = string(w)
	}
	return strings.Join(plain, ", ")
}

// Described is a conversation as one of its sessions sees it.
type Described struct {
	Conversation
	PartnerStatus
	// Session and Role are the caller's own.
	Session SessionID
	Role    string
	// Self is the caller's own session, as its partners see it.
	Self SessionState
}

// Describe tells a session of its conversation and the other sessions.
func (s *Service) Describe(ctx context.Context, c Credentials) (Described, error) {
	return s.describe(ctx, c, s.ReadGate(ctx, c, "list_conversations"))
}

// ReadAction is the action, in the audit log, of a read of a resource that no tool reads.
const ReadAction = "read_resource"

// DescribeAs is Describe for who reads a resource, which the log then names.
func (s *Service) DescribeAs(ctx context.Context, c Credentials, resource string) (Described, error) {
	g := s.ReadGate(ctx, c, ReadAction)
	g.Details["resource"] = resource
	return s.describe(ctx, c, g)
}

func (s *Service) describe(ctx context.Context, c Credentials, g Gate) (Described, error) {
	roster, unread, err := s.store.Roster(ctx, g)
	if err != nil {
		return Described{}, err
	}
	o, err := s.store.Conversation(ctx, c.Conversation)
	if err != nil {
		return Described{}, err
	}
	self, _ := roster.Of(g.Session)
	return Described{
		Self:          self,
		Conversation:  o.Conversation,
		PartnerStatus: PartnerStatus{Partners: roster.Others(g.Session), Now: g.Now, CallerUnread: unread},
		Session:       g.Session, Role: roster.Role(g.Session),
	}, nil
}

// foldFor is how long like calls of a session are one entry in the audit log.
const foldFor = time.Minute

// Fold is what a store keeps of a session's heartbeats, or of its looks that
// found nothing, since the last one that was logged.
type Fold struct {
	// Logged is when that was; zero for never.
	Logged time.Time
	// Count is how many followed, and First when the first of them did.
	Count int64
	First time.Time
}

// Add counts one more call at the time now. It is logged if the last one that was
// is a minute ago, with those in between: how many there were with this one, and
// when the first and the last of them came.
func (f Fold) Add(now time.Time, details Details) (kept Fold, logged bool) {
	age := now.Sub(f.Logged)
	if !f.Logged.IsZero() && 0 <= age && age < foldFor {
		if f.Count++; f.Count == 1 {
			f.First = now
		}
		return f, false
	}
	if f.Count > 0 {
		details["count"] = f.Count + 1
		details["first"], details["last"] = f.First.Format(time.RFC3339), now.Format(time.RFC3339)
	}
	return Fold{Logged: now}, true
}
