package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/ratelimit"
)

// Limits are the limits of a store. They belong to the store and not to a
// process, and only an operator can change them. The zero value limits nothing.
type Limits struct {
	// Writes limits calls that change something, per session of a conversation.
	Writes ratelimit.Limit
	// Steps limits the lines that a session writes to the log of its work, per session
	// of a conversation.
	Steps ratelimit.Limit
	// Reads limits reads, heartbeats and calls refused as invalid, per session
	// of a conversation.
	Reads ratelimit.Limit
	// Creates limits new conversations, per store.
	Creates ratelimit.Limit
	// Creator limits new conversations, per caller (see Config.Caller).
	Creator ratelimit.Limit
	// Failures limits failed proofs, per claimed conversation. It never causes a
	// valid proof to be refused.
	Failures ratelimit.Limit
	// Quota limits how much the store may hold.
	Quota Usage
}

// DefaultLimits are the limits of a store that is created without explicit
// ones: 10 a minute, 100 an hour and 500 a day for writes, and generous limits
// for the rest.
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

// LimitKind is the name of a limit in the store, on the command line and in the
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

// LimitKinds lists the kinds in display order.
func LimitKinds() []LimitKind {
	return []LimitKind{LimitWrites, LimitSteps, LimitReads, LimitCreates, LimitCreator, LimitFailures}
}

// PerConversation reports whether a conversation can have its own limit of this
// kind.
func (k LimitKind) PerConversation() bool {
	return k == LimitWrites || k == LimitSteps || k == LimitReads
}

// Of returns the limit of a kind, or nil if the kind is unknown.
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

// SetLimit is one limit that was set, with its origin.
type SetLimit struct {
	// Conversation is empty for a limit of the store.
	Conversation string
	Kind         LimitKind
	Limit        ratelimit.Limit
	// By is LimitDefault, LimitMade or Operator, and At is when the limit was set.
	By string
	At time.Time
}

// Origins of a limit, besides Operator.
const (
	LimitDefault = "default" // set when an older store was migrated
	LimitMade    = "made"    // set by the configuration of the process that created the store
)

// Usage is how much a store holds or may hold. As a quota, 0 means no limit.
type Usage struct{ Bytes, Conversations, Messages int64 }

// quotaWarning is the fill level, in percent, from which the operator is warned.
const quotaWarning = 80

// Fill is how full a store is in one respect.
type Fill struct {
	// What is "bytes", "conversations" or "messages".
	What       string
	Used, Most int64
}

// Percent returns the fill level in percent; 0 if there is no limit.
func (f Fill) Percent() int {
	if f.Most <= 0 {
		return 0
	}
	return int(float64(f.Used) / float64(f.Most) * 100)
}

// Warn reports whether the operator should make room.
func (f Fill) Warn() bool { return f.Percent() >= quotaWarning }

// Fills compares what a store holds with its quota.
func (u Usage) Fills(quota Usage) []Fill {
	return []Fill{
		{"bytes", u.Bytes, quota.Bytes},
		{"conversations", u.Conversations, quota.Conversations},
		{"messages", u.Messages, quota.Messages},
	}
}

// QuotaError reports that the store holds as much as its quota allows. Nothing
// was stored. Reading, cleanup and calls that end something still work.
type QuotaError struct{ Fill }

// ErrQuota is matched by every QuotaError.
var ErrQuota = errors.New("the store holds as much as it may")

func (e *QuotaError) Unwrap() error { return ErrQuota }

func (e *QuotaError) Error() string {
	return fmt.Sprintf("%v: %d %s", ErrQuota, e.Most, e.What)
}

// AdmitMore returns a QuotaError if the store is full.
func (u Usage) AdmitMore(quota Usage) error {
	for _, f := range u.Fills(quota) {
		if f.Most > 0 && f.Used >= f.Most {
			return &Refusal{Reason: &QuotaError{f}, Outcome: OutcomeRefused, Flood: Charge{Bucket: flooded("quota"), Kind: LimitFailures}}
		}
	}
	return nil
}

// LimitReport describes the limits that apply to a conversation, or to the
// whole store.
type LimitReport struct {
	// Limits are the limits that apply.
	Limits Limits
	// Set lists the limits that were set for the store, followed by those set
	// for the conversation.
	Set []SetLimit
	// Usage is how much the store holds.
	Usage Usage
}

// source returns the limit of a kind that applies, as it was set.
func (r LimitReport) source(kind LimitKind) (found SetLimit) {
	for _, s := range r.Set {
		if s.Kind == kind {
			found = s
		}
	}
	return found
}

// Sources returns, for each kind of limit, the one that applies.
func (r LimitReport) Sources() (all []SetLimit) {
	for _, kind := range LimitKinds() {
		all = append(all, r.source(kind))
	}
	return all
}

// WindowChange changes a limit. A nil field leaves that window as it is.
type WindowChange struct{ PerMinute, PerHour, PerDay *int }

func (c WindowChange) apply(l ratelimit.Limit) ratelimit.Limit {
	for _, w := range []struct {
		to   *int
		from *int
	}{{&l.PerMinute, c.PerMinute}, {&l.PerHour, c.PerHour}, {&l.PerDay, c.PerDay}} {
		if w.from != nil {
			*w.to = *w.from
		}
	}
	return l
}

// LimitChange is a change of limits by an operator.
type LimitChange struct {
	// Conversation is empty to change the limits of the store.
	Conversation string
	Windows      map[LimitKind]WindowChange
	// The quota. A nil field stays as it is.
	Bytes, Conversations, Messages *int64
}

// A LimitRule returns the limits to set, given the current ones. It is pure.
type LimitRule func(LimitReport) (set []SetLimit, quota Usage)

func limitRule(c LimitChange, now time.Time) LimitRule {
	return func(r LimitReport) (set []SetLimit, quota Usage) {
		for _, kind := range LimitKinds() {
			if change, ok := c.Windows[kind]; ok {
				limit := change.apply(*r.Limits.Of(kind))
				set = append(set, SetLimit{Conversation: c.Conversation, Kind: kind, Limit: limit, By: Operator, At: now})
			}
		}
		quota = r.Limits.Quota
		for _, q := range []struct{ to, from *int64 }{{&quota.Bytes, c.Bytes}, {&quota.Conversations, c.Conversations}, {&quota.Messages, c.Messages}} {
			if q.from != nil {
				*q.to = *q.from
			}
		}
		return set, quota
	}
}

// Limits returns the limits that apply to a conversation, or to the store if
// conversation is empty. The error may be ErrNotFound.
func (s *Service) Limits(ctx context.Context, conversation string) (LimitReport, error) {
	return s.store.Limits(ctx, conversation)
}

var errNoConversationLimit = errors.New("can only be set for the whole store")

// SetLimits changes limits. The change applies from the next call on, in all
// processes. The error may be ErrNotFound or an InvalidError.
func (s *Service) SetLimits(ctx context.Context, c LimitChange) (LimitReport, error) {
	op := s.OperatorOperation("set_limits", c.Conversation)
	for kind, change := range c.Windows {
		if c.Conversation != "" && !kind.PerConversation() {
			return LimitReport{}, Invalid(string(kind), "%v", errNoConversationLimit)
		}
		op.Details[string(kind)] = change.String()
	}
	for name, to := range map[string]*int64{"bytes": c.Bytes, "conversations": c.Conversations, "messages": c.Messages} {
		if to == nil {
			continue
		}
		if c.Conversation != "" {
			return LimitReport{}, Invalid("max-"+name, "%v", errNoConversationLimit)
		}
		op.Details["max_"+name] = *to
	}
	return s.store.SetLimits(ctx, op, limitRule(c, op.Now))
}

// String returns the change in the form in which the audit log keeps it.
func (c WindowChange) String() string {
	text := ""
	for _, w := range []struct {
		name string
		n    *int
	}{{"minute", c.PerMinute}, {"hour", c.PerHour}, {"day", c.PerDay}} {
		if w.n != nil {
			text += fmt.Sprintf("%s%d a %s", comma(text), *w.n, w.name)
		}
	}
	return text
}

func comma(before string) string {
	if before == "" {
		return ""
	}
	return ", "
}

// EffectiveLimits returns the limits of a conversation. For each kind, the last
// entry of set applies, which lists the limits of the store before those of the
// conversation.
func EffectiveLimits(set []SetLimit, quota Usage) Limits {
	limits := Limits{Quota: quota}
	for _, s := range set {
		if limit := limits.Of(s.Kind); limit != nil {
			*limit = s.Limit
		}
	}
	return limits
}

// FirstLimits returns the initial limits of a store, as set by the given origin
// at a time.
func FirstLimits(l Limits, by string, at time.Time) (set []SetLimit) {
	for _, kind := range LimitKinds() {
		set = append(set, SetLimit{Kind: kind, Limit: *l.Of(kind), By: by, At: at})
	}
	return set
}
