package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/bridge/internal/ratelimit"
)

// LimitReport is what holds for a conversation, or for the whole store.
type LimitReport struct {
	// Limits are those that hold.
	Limits Limits
	// Set are those that were set for the store, and after them those of the
	// conversation.
	Set []SetLimit
	// Usage is how much the store holds.
	Usage Usage
}

// source returns the limit of a kind that holds, as it was set.
func (r LimitReport) source(kind LimitKind) (found SetLimit) {
	for _, s := range r.Set {
		if s.Kind == kind {
			found = s
		}
	}
	return found
}

// Sources returns, for each kind of limit, the one that holds.
func (r LimitReport) Sources() (all []SetLimit) {
	for _, kind := range LimitKinds() {
		all = append(all, r.source(kind))
	}
	return all
}

// WindowChange changes what a limit allows; nil leaves a window as it is.
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

// LimitChange is what an operator sets.
type LimitChange struct {
	// Conversation is empty for the store.
	Conversation string
	Windows      map[LimitKind]WindowChange
	// The quota; nil leaves it as it is.
	Bytes, Conversations, Messages *int64
}

// A LimitRule says what is to be set, given what holds. It is pure.
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

// Limits returns the limits that hold for a conversation, or for the store where
// that is empty. The error may be ErrNotFound.
func (s *Service) Limits(ctx context.Context, conversation string) (LimitReport, error) {
	return s.store.Limits(ctx, conversation)
}

var errNoConversationLimit = errors.New("can be set for the whole store only")

// SetLimits changes limits, from the next call on, in all processes. The error
// may be ErrNotFound, or an InvalidError.
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

// String is the change as the audit log keeps it.
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

// EffectiveLimits are the limits of a conversation: of those that were set, in the
// order of the store's and then its own, the last of each kind.
func EffectiveLimits(set []SetLimit, quota Usage) Limits {
	limits := Limits{Quota: quota}
	for _, s := range set {
		if limit := limits.Of(s.Kind); limit != nil {
			*limit = s.Limit
		}
	}
	return limits
}

// FirstLimits are what a store begins with, set by somebody at a time.
func FirstLimits(l Limits, by string, at time.Time) (set []SetLimit) {
	for _, kind := range LimitKinds() {
		set = append(set, SetLimit{Kind: kind, Limit: *l.Of(kind), By: by, At: at})
	}
	return set
}

// Retained is something that a cleanup removes when it is old enough.
type Retained string

// What is retained for a time that the operator may set.
const (
	// RetainConversations is counted from their end. Messages go with their conversation,
	// and are never taken out of one that lives.
	RetainConversations Retained = "conversations"
	// RetainFileVersions are the changes of shared files; their last versions stay.
	RetainFileVersions Retained = "file_versions"
	// RetainSteps are logged steps; the last of each conversation stays.
	RetainSteps Retained = "steps"
	// RetainKeys are the idempotency keys of messages and tasks: a call that is repeated
	// later counts as a new one.
	RetainKeys Retained = "idempotency_keys"
	// RetainSnapshots are states of workspaces before commands.
	RetainSnapshots Retained = "snapshots"
)

// Forever keeps something as long as the conversation that it belongs to.
const Forever time.Duration = -1

// defaultSnapshots is how long snapshots are kept where nothing else was set.
const defaultSnapshots = 30 * 24 * time.Hour

// RetainedKinds are all of them.
func RetainedKinds() []Retained {
	return []Retained{RetainConversations, RetainFileVersions, RetainSteps, RetainKeys, RetainSnapshots}
}

// MayBeForever reports whether something may be kept as long as its conversation.
func (k Retained) MayBeForever() bool { return k != RetainConversations && k != RetainSnapshots }

// defaultAge is what holds where nothing was set.
func (k Retained) defaultAge() time.Duration {
	switch k {
	case RetainConversations:
		return 0
	case RetainSnapshots:
		return defaultSnapshots
	}
	return Forever
}

// Retention says how long something is kept.
type Retention struct {
	Kind Retained
	// Age is how old it becomes; Forever for as long as its conversation.
	Age time.Duration
	// SetAt is when the operator set it; zero for the default.
	SetAt time.Time
}

// Retention returns how long each kind is kept, in order of RetainedKinds.
func (s *Service) Retention(ctx context.Context) ([]Retention, error) {
	set, err := s.store.Retention(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Retention, 0, len(RetainedKinds()))
	for _, kind := range RetainedKinds() {
		r := Retention{Kind: kind, Age: kind.defaultAge()}
		if i := slices.IndexFunc(set, func(r Retention) bool { return r.Kind == kind }); i >= 0 {
			r = set[i]
		}
		all = append(all, r)
	}
	return all, nil
}

// SetRetention changes how long some kinds are kept, from the next cleanup on, and returns
// what holds then.
func (s *Service) SetRetention(ctx context.Context, ages map[Retained]time.Duration) ([]Retention, error) {
	op := s.OperatorOperation("set_retention", "")
	var set []Retention
	for _, kind := range RetainedKinds() {
		age, given := ages[kind]
		switch {
		case !given:
			continue
		case age < 0 && (age != Forever || !kind.MayBeForever()):
			return nil, Invalid(string(kind), "must be a length of time")
		}
		set = append(set, Retention{Kind: kind, Age: age, SetAt: op.Now})
		op.Details[string(kind)] = "forever"
		if age != Forever {
			op.Details[string(kind)] = age.String()
		}
	}
	if err := s.store.SetRetention(ctx, op, set); err != nil {
		return nil, err
	}
	return s.Retention(ctx)
}

// Old counts what a cleanup removes in a conversation that lives on.
type Old struct{ FileVersions, Steps, Keys int64 }

// Add counts more.
func (o *Old) Add(more Old) {
	o.FileVersions += more.FileVersions
	o.Steps += more.Steps
	o.Keys += more.Keys
}

// Before says up to when something is old; a zero time: none of it is.
type Before struct{ FileVersions, Steps, Keys time.Time }

// ForgetOld removes what is older than it is to be kept from conversations that stay, each
// in an operation of its own, and returns how much that was. A dry run only counts.
func (s *Service) ForgetOld(ctx context.Context, dryRun bool) (all Old, err error) {
	kept, err := s.Retention(ctx)
	if err != nil {
		return all, err
	}
	now, before := s.Now(), Before{}
	for _, r := range kept {
		if r.Age < 0 {
			continue
		}
		switch at := now.Add(-r.Age); r.Kind {
		case RetainFileVersions:
			before.FileVersions = at
		case RetainSteps:
			before.Steps = at
		case RetainKeys:
			before.Keys = at
		}
	}
	found, err := s.store.CountOld(ctx, before)
	if err != nil {
		return all, err
	}
	for conversation, old := range found {
		if !dryRun {
			op := s.OperatorOperation("cleanup", conversation)
			if old, err = s.store.ForgetOld(ctx, op, before); err != nil {
				return all, err
			}
		}
		all.Add(old)
	}
	return all, nil
}
