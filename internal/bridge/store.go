package bridge

import (
	"context"
	"time"

	"example.org/bridge/internal/audit"
)

// Store keeps everything. Each method is one atomic operation: it has happened
// whole, its audit entry included, or not at all. A method that returns without
// an error has made its change durable, except where it says otherwise. Any
// number of processes may use one store at once. storetest.Run holds every
// implementation to this.
//
// Methods that take a Gate follow its order, and note the sign of life that it
// is, if it is one. Errors are those of errors.go.
type Store interface {
	// CreateConversation keeps c, from the store's time on, and returns it so. The
	// error may be a RateLimitError or a QuotaError.
	CreateConversation(ctx context.Context, op Operation, c NewConversation) (NewConversation, error)
	// JoinConversation redeems the join code with the given hash, once, where rule
	// allows it. The error may be ErrBadJoinCode or a RateLimitError.
	JoinConversation(ctx context.Context, op Operation, hash []byte, rule InvitationRule) (Invitation, error)

	// InviteSession keeps the session that rule makes for g's conversation, in the place
	// of one of that name if there is one. It returns it, and how many messages wait
	// for g.
	InviteSession(ctx context.Context, g Gate, rule InviteRule) (fresh NewSession, unread int64, err error)
	// AppendMessage keeps what a draft makes, once, for those whom it names, and what
	// SharedFiles says of it. It answers a message that g's session sent or was sent,
	// if it answers one. A repeated idempotency key is answered with the first answer;
	// Draft.Admit says what that costs.
	AppendMessage(ctx context.Context, g Gate, key string, d Draft) (Sent, error)
	// ForgetShared forgets files that a session was told of, and records nothing.
	ForgetShared(ctx context.Context, conversation string, session SessionID, files Shared) error
	// TakeUnread hands out g's next unread messages under a claim, oldest first.
	TakeUnread(ctx context.Context, g Gate, t Take) (Taken, error)
	// UnreadHeads returns what is known of a session's first unread messages, oldest
	// first. It changes and records nothing.
	UnreadHeads(ctx context.Context, conversation string, session SessionID, limit int) ([]Head, error)
	// EndClaim records op and keeps what rule makes of a claim. Where the rule
	// changes nothing, nothing is recorded. A power cut may undo it: the messages
	// then come again, marked redelivered.
	EndClaim(ctx context.Context, op Operation, claim Claim, rule ClaimRule) error
	// RenewClaim keeps what rule makes of a claim, and records nothing. A power
	// cut may undo it.
	RenewClaim(ctx context.Context, claim Claim, rule ClaimRule) error
	// NoteSeen notes a sign of life of a session that waits, and records nothing.
	// A power cut may undo it.
	NoteSeen(ctx context.Context, conversation string, session SessionID, now time.Time) error
	// NoteAllSeen is NoteSeen of several sessions, of those whose last sign of life was
	// noted after since. It may leave out those that others change just now.
	NoteAllSeen(ctx context.Context, of []Address, now, since time.Time) error
	// Heartbeat sets g's heartbeat; a power cut may undo it.
	Heartbeat(ctx context.Context, g Gate) (Pulse, error)
	// PeekMessages returns a page of g's messages with a number above after, or
	// above the last that was read where that is FromUnread. It marks nothing.
	PeekMessages(ctx context.Context, g Gate, after int64, p Page) (Peeked, error)
	// PeekInbox looks at a session. It changes and records nothing.
	PeekInbox(ctx context.Context, conversation string, session SessionID) (SessionView, error)
	// PeekInboxes is PeekInbox of several sessions at one time, without what others
	// shared with them.
	PeekInboxes(ctx context.Context, of []Address) ([]SessionView, error)
	// WorkMarks returns a short text for each of some conversations, which says nothing and
	// is another one when something has changed that its sessions share or may see of each
	// other: who is there, who lives, how much waits for each, tasks, claims that stand, steps
	// and shared files. Of an unknown conversation it is "". It changes and records nothing.
	WorkMarks(ctx context.Context, conversations []string, now time.Time) ([]string, error)
	// History returns a page of the messages that g's session sent or was sent, newest
	// page first, oldest message first.
	History(ctx context.Context, g Gate, p Page) (History, error)

	// ExtendConversation keeps what rule makes of g's conversation. It returns the
	// number of messages that wait for g.
	ExtendConversation(ctx context.Context, g Gate, rule ExtendRule) (unread int64, err error)

	// SetStatus sets g's status and heartbeat; a power cut may undo it. It
	// returns the number of messages that wait for g.
	SetStatus(ctx context.Context, g Gate, status Status) (unread int64, err error)
	// Roster returns the sessions of g's conversation, and how many messages wait for
	// g. Of more than two it tells what each has read of g's own messages.
	Roster(ctx context.Context, g Gate) (sessions Roster, unread int64, err error)

	// Suspects calls visit with each session whose token has one of the
	// fingerprints. It is for redaction only, never for a caller.
	Suspects(ctx context.Context, prints []int64, visit func(Suspect)) error

	// Refuse passes g and records that the call is refused as invalid.
	Refuse(ctx context.Context, g Gate) error
	// RecordOperation records that op was done, which changes nothing.
	RecordOperation(ctx context.Context, op Operation) error
	// RefuseOperation records that op is refused as invalid.
	RefuseOperation(ctx context.Context, op Operation) error

	// Membership returns what is known of a conversation's team; a zero one of
	// an unknown conversation. It changes and records nothing.
	Membership(ctx context.Context, conversation string) (Membership, error)

	OperatorStore
	SteeringStore
}

// OperatorStore is the part of a Store that only the operator's commands use.
type OperatorStore interface {
	// Conversations returns all conversations, the newest first.
	Conversations(ctx context.Context) ([]Overview, error)
	// Conversation returns one, or ErrNotFound.
	Conversation(ctx context.Context, id string) (Overview, error)
	// Messages returns up to limit messages of a conversation with an ID above
	// after, in order.
	Messages(ctx context.Context, conversation string, after int64, limit int) ([]Message, error)
	// MessagesBefore returns the last limit messages of a conversation with an ID below
	// before, in order.
	MessagesBefore(ctx context.Context, conversation string, before int64, limit int) ([]Message, error)
	// Nonces records op and returns the values behind a conversation's tokens, in
	// order of the sessions.
	Nonces(ctx context.Context, op Operation) ([]NewNonce, error)
	// ReplaceNonces keeps what rule makes for sessions of op's conversation, and ends
	// their tokens and join codes: all, or nothing of it. The error may be ErrNotFound.
	ReplaceNonces(ctx context.Context, op Operation, rule NonceRule) ([]NewNonce, error)
	// Limits returns the limits that hold for a conversation, or for the store
	// where that is empty; what was set; and how much the store holds. It records
	// nothing.
	Limits(ctx context.Context, conversation string) (LimitReport, error)
	// SetLimits records op, keeps what rule sets, and returns what holds then. The
	// error may be ErrNotFound.
	SetLimits(ctx context.Context, op Operation, rule LimitRule) (LimitReport, error)
	// ExtendByOperator keeps what rule makes of op's conversation, which may have
	// expired.
	ExtendByOperator(ctx context.Context, op Operation, rule ExtendRule) error
	// RemoveExpired removes, with all their messages, the conversations that
	// expired before a time and whose ends are genuine, for which it asks in the
	// transaction that removes them. Where there are many it does so in several operations,
	// each of whole conversations and recorded by itself, so that others need not
	// wait for all of it. Those that it returns with an error were removed. A dry
	// run only tells which.
	RemoveExpired(ctx context.Context, op Operation, before time.Time, genuine EndCheck, dryRun bool) ([]Overview, error)
	// Retention returns how long what was set for it is kept. It records nothing.
	Retention(ctx context.Context) ([]Retention, error)
	// SetRetention records op and keeps how long some kinds are kept.
	SetRetention(ctx context.Context, op Operation, set []Retention) error
	// CountOld counts, in each conversation that has something of it, what happened before
	// some times and may be forgotten. It changes and records nothing.
	CountOld(ctx context.Context, before Before) (map[string]Old, error)
	// ForgetOld removes that from op's conversation, records op and returns how much it
	// was. The last step and the last change of a file stay, and no gap comes to be.
	ForgetOld(ctx context.Context, op Operation, before Before) (Old, error)
	// Compact gives back to the system the room of what was removed, and makes sure
	// that nothing of it can be read from the store's files.
	Compact(ctx context.Context) error
	// AuditEntries returns part of the log, in order.
	AuditEntries(ctx context.Context, q AuditQuery) ([]audit.Entry, error)
	// WalkAudit calls begin with where the log begins and visit with every entry in
	// order of number, as of one moment, and returns the head of that moment.
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
	// AuditBase returns where the log begins, and which archives hold what was before.
	AuditBase(ctx context.Context) (audit.Base, error)
	// AuditCut returns the number of the last entry behind which the log may be cut off
	// so that all up to it happened before a time and are sealed; 0 where there is none.
	AuditCut(ctx context.Context, before time.Time) (int64, error)
	// NoteArchive records op and keeps what a says of an archive, with its seal, which
	// must go on where the last one ends, and end with an entry that is there. The error
	// may be ErrCutElsewhere.
	NoteArchive(ctx context.Context, op Operation, a audit.Archived) error
	// TrimAudit removes from the log what archives hold that were noted, in steps, so
	// that others need not wait for all of it, and records nothing. It returns how many
	// entries that were. Interrupted, it has removed some, and the log verifies.
	TrimAudit(ctx context.Context) (removed int64, err error)
}

// Overview is a conversation as operators see it.
type Overview struct {
	Conversation
	// ExpirySeal is of ExpiresAt. EndMoved reports that it is not, which only a Service
	// can tell: sessions are refused with ErrExpiryMoved.
	ExpirySeal []byte
	EndMoved   bool
	Sessions   Roster
	// Copies counts the messages of the sessions' inboxes beyond the first that each
	// message is in.
	Copies int64
	// PausedAt is since when the operator has paused it; zero when it is not.
	PausedAt time.Time
}

// Messages counts the messages of the conversation, each once.
func (o Overview) Messages() int64 {
	messages := -o.Copies
	for _, s := range o.Sessions {
		messages += s.Received
	}
	return messages
}

// AuditQuery says which entries to return.
type AuditQuery struct {
	// Conversation restricts them to one conversation, if not empty.
	Conversation string
	// After restricts them to entries with a higher number.
	After int64
	// Limit is how many to return; 0 means all.
	Limit int
	// Last returns the last Limit entries rather than the first.
	Last bool
}
