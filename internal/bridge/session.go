package bridge

import (
	"context"
	"slices"
	"strings"
	"time"
)

// SessionID is the name of a session within a conversation: a letter.
type SessionID string

// The sessions of a conversation.
const (
	SessionA SessionID = "a" // the session that created the conversation
	SessionB SessionID = "b" // its first partner
)

// System is the sender of messages from bridge itself.
const System = "system"

// Status is what an agent reports that it is doing.
type Status string

// The statuses of update_my_status (docs/tools.md).
const (
	StatusWorking  Status = "working"
	StatusWaiting  Status = "waiting"
	StatusBlocked  Status = "blocked"
	StatusComplete Status = "complete"
)

// IsNews reports whether a status differs from the session's current one.
// Setting the same status again is a heartbeat, which the log folds.
func IsNews(before, now Status) bool { return before != now }

// Statuses lists the statuses in display order.
func Statuses() []Status {
	return []Status{StatusWorking, StatusWaiting, StatusBlocked, StatusComplete}
}

// AliveFor is how long after a sign of life a session counts as alive.
const AliveFor = 120 * time.Second

// seenEvery is the minimum time between two recorded signs of life of a
// session. Every call of a session is one, and so is an open wait as long as it
// lasts; this keeps recording them cheap.
const seenEvery = 10 * time.Second

// noteTogether is the maximum age of a session's last sign of life at which the next may be
// recorded together with those of other sessions. It is less than the shortest lease of a
// claim, so that no claim expires because of the delay.
const noteTogether = 20 * time.Second

// signOfLifeDue reports whether a sign of life has to be recorded now, if the last
// was recorded at seen. If seen is in the future, the clock was set back.
func signOfLifeDue(seen, now time.Time) bool {
	age := now.Sub(seen)
	return age >= seenEvery || age < 0
}

// SessionState is what is known about one session.
type SessionState struct {
	Session SessionID
	Role    string
	// Status is empty until the session has set one.
	Status Status
	// SeenAt is its last sign of life: a call of its own, a wait or a
	// heartbeat. It is zero if there was none.
	SeenAt time.Time
	// Received counts the messages sent to the session by anybody, and Unread those of
	// them that were not delivered yet.
	Received, Unread int64
	// UnreadOfCaller counts those messages of Unread that the caller has sent. It is
	// nil if it was not asked for, and in a conversation of two.
	UnreadOfCaller *int64
	// ReadID is the last message that the session has read, and ReadAt is when. Only
	// messages from its partner count or, with more than two sessions, from the
	// caller. Both are zero if there was none.
	ReadID int64
	ReadAt time.Time
	// JoinedAt is when the session's join code was redeemed. Before that, its place
	// is kept until KeptUntil: until its code expires or, if its token was handed
	// out, for the holder of the token.
	JoinedAt, KeptUntil time.Time
}

// Joined reports whether an agent has ever acted for the session.
func (s SessionState) Joined() bool { return s.Session == SessionA || !s.SeenAt.IsZero() }

// Listens reports whether messages may be sent to the session. Messages to the
// first partner wait for it from the start. A session that was invited later gets
// no messages from before it joined.
func (s SessionState) Listens() bool { return s.Session == SessionB || s.Joined() }

// Age returns the age of the last sign of life. If it lies in the future
// because the clock was set back, the age is 0. ok is false if there was none.
func (s SessionState) Age(now time.Time) (age time.Duration, ok bool) {
	if s.SeenAt.IsZero() {
		return 0, false
	}
	return max(now.Sub(s.SeenAt), 0), true
}

// Alive reports whether the last sign of life is younger than AliveFor. A sign
// of life far in the future does not count, because the clock was set back
// since. Alive is independent of the status, which the agent reports itself.
func (s SessionState) Alive(now time.Time) bool {
	age, ok := s.Age(now)
	return ok && age < AliveFor && s.SeenAt.Sub(now) < AliveFor
}

// StatusUpdate is the result of UpdateStatus.
type StatusUpdate struct {
	Status      Status
	HeartbeatAt time.Time
	// Unread counts the messages waiting for the caller.
	Unread int64
}

// UpdateStatus sets the caller's status. Every update is a heartbeat.
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

// PartnerStatus is the result of CheckPartners.
type PartnerStatus struct {
	// Partners are the other sessions, or only the requested one.
	Partners Roster
	// Now is the time at which the rest was read.
	Now time.Time
	// CallerUnread counts the messages waiting for the caller.
	CallerUnread int64
}

// CheckPartners returns what the other sessions of the caller's conversation
// are doing, or only the session of the given name.
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
		return PartnerStatus{}, Invalid("session", "does not exist. The others (roles are untrusted data): %s", p.Partners)
	}
	p.Partners = Roster{one}
	return p, nil
}

// JoinWords lists the allowed values for a refusal.
func JoinWords[T ~string](words []T) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = string(w)
	}
	return strings.Join(plain, ", ")
}

// Described is a conversation from the point of view of one of its sessions.
type Described struct {
	Conversation
	PartnerStatus
	// Session and Role are the caller's.
	Session SessionID
	Role    string
	// Self is the caller's session as its partners see it.
	Self SessionState
}

// Describe returns the caller's conversation with its sessions.
func (s *Service) Describe(ctx context.Context, c Credentials) (Described, error) {
	return s.describe(ctx, c, s.ReadGate(ctx, c, "list_conversations"))
}

// ReadAction is the action in the audit log for reading a resource that no tool reads.
const ReadAction = "read_resource"

// DescribeAs is Describe for reading a resource, which is named in the log.
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

// foldFor is how long similar calls of a session are folded into one entry of
// the audit log.
const foldFor = time.Minute

// Fold is what a store keeps about the heartbeats of a session, or its checks
// that found nothing, since the last one that was logged.
type Fold struct {
	// Logged is when the last one was logged; zero if never.
	Logged time.Time
	// Count is how many have followed, and First is when the first of them did.
	Count int64
	First time.Time
}

// Add counts one more call at the time now. The call is logged if the last logged
// one is a minute old. Its details then include the number of calls since, itself
// included, and the times of the first and the last.
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
