package bridge

import (
	"context"
	"time"

	"example.org/bridge/internal/audit"
)

// Store keeps everything. Each method is one atomic operation: either all of it
// has happened, including its audit entry, or nothing. Unless stated otherwise,
// the changes of a method that returns without an error are durable. Any number
// of processes may use one store at the same time. Every implementation has to
// pass storetest.Run.
//
// Methods with a Gate follow its order, and record the sign of life if the call
// is one. The errors are those in errors.go.
type Store interface {
	// CreateConversation keeps c, with its times converted to the store's time,
	// and returns it in that form. The error may be a RateLimitError or a
	// QuotaError.
	CreateConversation(ctx context.Context, op Operation, c NewConversation) (NewConversation, error)
	// JoinConversation redeems the join code with the given hash, once, if rule
	// allows it. The error may be ErrBadJoinCode or a RateLimitError.
	JoinConversation(ctx context.Context, op Operation, hash []byte, rule InvitationRule) (Invitation, error)

	// InviteSession keeps the session that rule returns for g's conversation. It
	// replaces a session of the same name. It returns the session and the number of
	// messages waiting for g.
	InviteSession(ctx context.Context, g Gate, rule InviteRule) (fresh NewSession, unread int64, err error)
	// AppendMessage keeps the message of a draft once, for the recipients that the
	// draft names, and updates the files shared with them (SharedFiles). If the
	// message is a reply, the message that it answers must have been sent or received
	// by g's session. A repeated idempotency key returns the first result; Draft.Admit
	// defines what that costs.
	AppendMessage(ctx context.Context, g Gate, key string, d Draft) (Sent, error)
	// ForgetShared forgets files that a session was told about. It records
	// nothing.
	ForgetShared(ctx context.Context, conversation string, session SessionID, files Shared) error
	// TakeUnread hands out g's next unread messages under a claim, oldest first.
	TakeUnread(ctx context.Context, g Gate, t Take) (Taken, error)
	// UnreadHeads returns a session's first unread messages without their content,
	// oldest first. It changes and records nothing.
	UnreadHeads(ctx context.Context, conversation string, session SessionID, limit int) ([]Head, error)
	// EndClaim records op and keeps the result of rule for a claim. If the rule
	// changes nothing, nothing is recorded. A power failure may undo it; then the
	// messages are delivered again, marked as redelivered.
	EndClaim(ctx context.Context, op Operation, claim Claim, rule ClaimRule) error
	// RenewClaim keeps the result of rule for a claim, and records nothing. A
	// power failure may undo it.
	RenewClaim(ctx context.Context, claim Claim, rule ClaimRule) error
	// NoteSeen records a sign of life of a waiting session, without an audit
	// entry. A power failure may undo it.
	NoteSeen(ctx context.Context, conversation string, session SessionID, now time.Time) error
	// NoteAllSeen is NoteSeen for several sessions, limited to those whose last sign of
	// life was recorded after since. It may skip sessions that others are currently
	// changing.
	NoteAllSeen(ctx context.Context, of []Address, now, since time.Time) error
	// Heartbeat records g's heartbeat. A power failure may undo it.
	Heartbeat(ctx context.Context, g Gate) (Pulse, error)
	// PeekMessages returns a page of g's messages with a number above after, or
	// above the last read message if after is FromUnread. It marks nothing.
	PeekMessages(ctx context.Context, g Gate, after int64, p Page) (Peeked, error)
	// PeekInbox reads the state of a session. It changes and records nothing.
	PeekInbox(ctx context.Context, conversation string, session SessionID) (SessionView, error)
	// PeekInboxes is PeekInbox for several sessions at the same moment, without the
	// files that others shared with them.
	PeekInboxes(ctx context.Context, of []Address) ([]SessionView, error)
	// WorkMarks returns a short opaque text for each of the given conversations, which
	// differs from the previous one if something has changed that its sessions share or can
	// see of each other: the sessions, which of them are alive, the number of messages
	// waiting for each, tasks, claims in force, steps and shared files. For an unknown
	// conversation it is "". It changes and records nothing.
	WorkMarks(ctx context.Context, conversations []string, now time.Time) ([]string, error)
	// History returns a page of the messages that g's session sent or received, newest
	// page first, oldest message first.
	History(ctx context.Context, g Gate, p Page) (History, error)

	// ExtendConversation keeps the result of rule for g's conversation. It returns
	// the number of messages waiting for g.
	ExtendConversation(ctx context.Context, g Gate, rule ExtendRule) (unread int64, err error)

	// SetStatus sets g's status and heartbeat. A power failure may undo it. It
	// returns the number of messages waiting for g.
	SetStatus(ctx context.Context, g Gate, status Status) (unread int64, err error)
	// Roster returns the sessions of g's conversation and the number of messages
	// waiting for g. With more than two sessions, it includes what each has read of
	// g's own messages.
	Roster(ctx context.Context, g Gate) (sessions Roster, unread int64, err error)

	// Suspects calls visit with each session whose token has one of the
	// fingerprints. It is for redaction only, and its results must not reach a
	// caller.
	Suspects(ctx context.Context, prints []int64, visit func(Suspect)) error

	// Refuse passes g's gate and records that the call is refused as invalid.
	Refuse(ctx context.Context, g Gate) error
	// RecordOperation records op, which changes nothing.
	RecordOperation(ctx context.Context, op Operation) error
	// RefuseOperation records that op is refused as invalid.
	RefuseOperation(ctx context.Context, op Operation) error

	// Membership returns what is known about a conversation's team; the zero
	// Membership for an unknown conversation. It changes and records nothing.
	Membership(ctx context.Context, conversation string) (Membership, error)

	OperatorStore
	SteeringStore
}

// OperatorStore is the part of a Store that only the operator's commands use.
type OperatorStore interface {
	// Conversations returns all conversations, newest first.
	Conversations(ctx context.Context) ([]Overview, error)
	// Conversation returns one, or ErrNotFound.
	Conversation(ctx context.Context, id string) (Overview, error)
	// Messages returns up to limit messages of a conversation with an ID above
	// after, in order.
	Messages(ctx context.Context, conversation string, after int64, limit int) ([]Message, error)
	// MessagesBefore returns the last limit messages of a conversation with an ID below
	// before, in order.
	MessagesBefore(ctx context.Context, conversation string, before int64, limit int) ([]Message, error)
	// Nonces records op and returns the nonces from which a conversation's tokens
	// are derived, in the order of its sessions.
	Nonces(ctx context.Context, op Operation) ([]NewNonce, error)
	// ReplaceNonces keeps the nonces that rule returns for sessions of op's
	// conversation, which ends their tokens and join codes. It replaces either all of
	// them or none. The error may be ErrNotFound.
	ReplaceNonces(ctx context.Context, op Operation, rule NonceRule) ([]NewNonce, error)
	// Limits returns the limits that apply to a conversation, or to the store if
	// conversation is empty, the limits that were set, and how much the store
	// holds. It records nothing.
	Limits(ctx context.Context, conversation string) (LimitReport, error)
	// SetLimits records op, keeps the limits that rule returns, and returns the
	// resulting limits. The error may be ErrNotFound.
	SetLimits(ctx context.Context, op Operation, rule LimitRule) (LimitReport, error)
	// ExtendByOperator keeps the result of rule for op's conversation, which may
	// have expired.
	ExtendByOperator(ctx context.Context, op Operation, rule ExtendRule) error
	// RemoveExpired removes, with all their messages, the conversations that expired before
	// a time and whose ends are genuine, which is checked in the transaction that removes
	// them. If there are many, it does so in several operations of whole conversations,
	// each recorded by itself, so that others need not wait for all of it. The
	// conversations that it returns along with an error were removed. A dry run only
	// returns them.
	RemoveExpired(ctx context.Context, op Operation, before time.Time, genuine EndCheck, dryRun bool) ([]Overview, error)
	// Retention returns the retention that was set for the store. It records
	// nothing.
	Retention(ctx context.Context) ([]Retention, error)
	// SetRetention records op and keeps the retention of some kinds.
	SetRetention(ctx context.Context, op Operation, set []Retention) error
	// CountOld counts, for each conversation that has any, the data from before the given
	// times that may be removed. It changes and records nothing.
	CountOld(ctx context.Context, before Before) (map[string]Old, error)
	// ForgetOld removes that data from op's conversation, records op and returns how
	// much it removed. The last step and the last change of each file stay, and no gap
	// is created.
	ForgetOld(ctx context.Context, op Operation, before Before) (Old, error)
	// Compact returns the space of removed data to the system, and makes sure that
	// none of it can be read from the store's files.
	Compact(ctx context.Context) error
	// AuditEntries returns part of the log, in order.
	AuditEntries(ctx context.Context, q AuditQuery) ([]audit.Entry, error)
	// WalkAudit calls begin with the start of the log, and then visit with every
	// entry in order of number, all as of one moment. It returns the head at that
	// moment.
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
	// AuditBase returns where the log begins, and which archives hold the entries
	// before that.
	AuditBase(ctx context.Context) (audit.Base, error)
	// AuditCut returns the number of the last entry up to which the log may be cut off:
	// all entries up to it are older than a time and are sealed. It is 0 if there is
	// none.
	AuditCut(ctx context.Context, before time.Time) (int64, error)
	// NoteArchive records op and keeps the description of an archive, with its seal. The
	// archive must begin where the last one ends, and end with an entry of the log. The
	// error may be ErrCutElsewhere.
	NoteArchive(ctx context.Context, op Operation, a audit.Archived) error
	// TrimAudit removes the entries from the log that recorded archives hold, and
	// records nothing. It works in steps, so that others need not wait for all of it.
	// It returns how many entries it removed. If it is interrupted, some are removed,
	// and the log still verifies.
	TrimAudit(ctx context.Context) (removed int64, err error)
}

// Overview is a conversation as operators see it.
type Overview struct {
	Conversation
	// ExpirySeal is the seal of ExpiresAt. EndMoved reports that the seal does not
	// match, so that sessions are refused with ErrExpiryMoved. Only a Service can
	// determine that.
	ExpirySeal []byte
	EndMoved   bool
	Sessions   Roster
	// Copies counts how often messages of the conversation are in an inbox beyond
	// the first one.
	Copies int64
	// PausedAt is when the operator paused the conversation; zero if it is not
	// paused.
	PausedAt time.Time
}

// Messages returns the number of messages of the conversation, each counted
// once.
func (o Overview) Messages() int64 {
	messages := -o.Copies
	for _, s := range o.Sessions {
		messages += s.Received
	}
	return messages
}

// AuditQuery selects entries of the audit log.
type AuditQuery struct {
	// Conversation restricts them to one conversation, if not empty.
	Conversation string
	// After restricts them to entries with a higher number.
	After int64
	// Limit is the maximum number of entries; 0 means all.
	Limit int
	// Last selects the last Limit entries instead of the first.
	Last bool
}
