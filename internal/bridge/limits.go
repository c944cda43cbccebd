package bridge

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/ratelimit"
)

// Limits are the limits of a store. They belong to it and not to a process: only
// an operator changes them. The zero value limits nothing.
type Limits struct {
	// Writes counts what changes something, per session of a conversation.
	Writes ratelimit.Limit
	// Steps counts the lines that a session writes into the log of its work, per session
	// of a conversation.
	Steps ratelimit.Limit
	// Reads counts reading, heartbeats and calls refused as invalid, per
	// session of a conversation.
	Reads ratelimit.Limit
	// Creates counts new conversations, per store.
	Creates ratelimit.Limit
	// Creator counts new conversations, per caller: see Config.Caller.
	Creator ratelimit.Limit
	// Failures counts failed proofs, per conversation that was claimed. It never
	// stops a valid proof.
	Failures ratelimit.Limit
	// Quota is what the store may hold.
	Quota Usage
}

// DefaultLimits are the limits of a store that is made without others: 10 a
// minute, 100 an hour and 500 a day for writes, and generous ones for the rest.
func DefaultLimits() Limits {
	return Limits{
		Writes:   ratelimit.Limit{PerMinute: 10, PerHour: 100, PerDay: 500},
		Steps:    ratelimit.Limit{PerMinute: 60, PerHour: 1_000, PerDay: 5_000},
		Reads:    ratelimit.Limit{PerMinute: 600, PerHour: 20_000, PerDay: 200_000},
		Creates:  ratelimit.Limit{PerMinute: 120, PerHour: 1_000, PerDay: 5_000},
		Creator:  ratelimit.Limit{PerMinute: 30, PerHour: 200, PerDay: 1_000},
		Failures: ratelimit.Limit{PerMinute: 20, PerHour: 200, PerDay: 1_000},
		Quota:    Usage{Bytes: 4 << 30, Conversations: 100_000, Messages: 5_000_000},
	}
}

// LimitKind names one of the limits, in the store, on the command line and in the
// audit log.
type LimitKind string

// The kinds of limits.
const (
	LimitWrites   LimitKind = "writes"
	LimitSteps    LimitKind = "steps"
	LimitReads    LimitKind = "reads"
	LimitCreates  LimitKind = "creates"
	LimitCreator  LimitKind = "creator"
	LimitFailures LimitKind = "failures"
)

// LimitKinds lists the kinds in the order in which they are shown.
func LimitKinds() []LimitKind {
	return []LimitKind{LimitWrites, LimitSteps, LimitReads, LimitCreates, LimitCreator, LimitFailures}
}

// PerConversation reports whether a conversation can have a limit of its own.
func (k LimitKind) PerConversation() bool {
	return k == LimitWrites || k == LimitSteps || k == LimitReads
}

// Of returns the limit of a kind; nil for an unknown one.
func (l *Limits) Of(kind LimitKind) *ratelimit.Limit {
	switch kind {
	case LimitWrites:
		return &l.Writes
	case LimitSteps:
		return &l.Steps
	case LimitReads:
		return &l.Reads
	case LimitCreates:
		return &l.Creates
	case LimitCreator:
		return &l.Creator
	case LimitFailures:
		return &l.Failures
	}
	return nil
}

// SetLimit is one limit that was set, and where it comes from.
type SetLimit struct {
	// Conversation is empty for the limit of the store.
	Conversation string
	Kind         LimitKind
	Limit        ratelimit.Limit
	// By is one of LimitDefault, LimitMade and Operator, and At is when it was set.
	By string
	At time.Time
}

// Sources of a limit, besides Operator.
const (
	LimitDefault = "default" // an older store that was migrated
	LimitMade    = "made"    // the configuration of the process that made the store
)

// Usage is how much a store holds, or may hold; 0 means any number.
type Usage struct{ Bytes, Conversations, Messages int64 }

// quotaWarning is how full a store may be, in percent, before the operator is told.
const quotaWarning = 80

// Fill is how full a store is of one thing.
type Fill struct {
	// What is "bytes", "conversations" or "messages".
	What       string
	Used, Most int64
}

// Percent is how full it is; 0 where there is no limit.
func (f Fill) Percent() int {
	if f.Most <= 0 {
		return 0
	}
	return int(float64(f.Used) / float64(f.Most) * 100)
}

// Warn reports whether the operator should make room.
func (f Fill) Warn() bool { return f.Percent() >= quotaWarning }

// Fills compares what a store holds with what it may hold.
func (u Usage) Fills(quota Usage) []Fill {
	return []Fill{
		{"bytes", u.Bytes, quota.Bytes},
		{"conversations", u.Conversations, quota.Conversations},
		{"messages", u.Messages, quota.Messages},
	}
}

// QuotaError reports a store that holds as much as it may. Nothing was stored.
// Reading, what ends something, and cleanup go on.
type QuotaError struct{ Fill }

// ErrQuota is what every QuotaError is.
var ErrQuota = errors.New("the store holds as much as it may")

func (e *QuotaError) Unwrap() error { return ErrQuota }

func (e *QuotaError) Error() string {
	return fmt.Sprintf("%v: %d %s", ErrQuota, e.Most, e.What)
}

// AdmitMore refuses what would be kept in a store that is full.
func (u Usage) AdmitMore(quota Usage) error {
	for _, f := range u.Fills(quota) {
		if f.Most > 0 && f.Used >= f.Most {
			return &Refusal{Reason: &QuotaError{f}, Outcome: OutcomeRefused, Flood: Charge{Bucket: flooded("quota"), Kind: LimitFailures}}
		}
	}
	return nil
}
