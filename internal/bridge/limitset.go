package bridge

import (
	"context"
	"errors"
	"fmt"
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
