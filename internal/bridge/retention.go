package bridge

import (
	"context"
	"slices"
	"time"
)

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
