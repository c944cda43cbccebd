package bridge

import (
	"context"
	"slices"
	"time"
)

// Retained is a kind of data that a cleanup removes when it is old enough.
type Retained string

// The kinds of data whose retention the operator can set.
const (
	// RetainConversations counts from a conversation's end. Messages are removed with
	// their conversation, never from one that has not expired.
	RetainConversations Retained = "conversations"
	// RetainFileVersions are changes of shared files. The last version of each file
	// stays.
	RetainFileVersions Retained = "file_versions"
	// RetainSteps are logged steps. The last step of each conversation stays.
	RetainSteps Retained = "steps"
	// RetainKeys are the idempotency keys of messages and tasks. A call that repeats a
	// removed key counts as a new one.
	RetainKeys Retained = "idempotency_keys"
	// RetainSnapshots are states of workspaces, taken before commands were run.
	RetainSnapshots Retained = "snapshots"
)

// Forever keeps data as long as the conversation that it belongs to.
const Forever time.Duration = -1

// defaultSnapshots is how long snapshots are kept by default.
const defaultSnapshots = 30 * 24 * time.Hour

// RetainedKinds lists all kinds.
func RetainedKinds() []Retained {
	return []Retained{RetainConversations, RetainFileVersions, RetainSteps, RetainKeys, RetainSnapshots}
}

// MayBeForever reports whether the kind may be kept as long as its conversation.
func (k Retained) MayBeForever() bool { return k != RetainConversations && k != RetainSnapshots }

// defaultAge returns the default retention of a kind.
func (k Retained) defaultAge() time.Duration {
	switch k {
	case RetainConversations:
		return 0
	case RetainSnapshots:
		return defaultSnapshots
	}
	return Forever
}

// Retention is how long one kind of data is kept.
type Retention struct {
	Kind Retained
	// Age is how long it is kept; Forever means as long as its conversation.
	Age time.Duration
	// SetAt is when the operator set it; zero for the default.
	SetAt time.Time
}

// Retention returns how long each kind is kept, in the order of RetainedKinds.
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
// the resulting retention of all kinds.
func (s *Service) SetRetention(ctx context.Context, ages map[Retained]time.Duration) ([]Retention, error) {
	op := s.OperatorOperation("set_retention", "")
	var set []Retention
	for _, kind := range RetainedKinds() {
		age, given := ages[kind]
		switch {
		case !given:
			continue
		case age < 0 && (age != Forever || !kind.MayBeForever()):
			return nil, Invalid(string(kind), "must be a duration")
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

// Old counts what a cleanup removes from conversations that remain.
type Old struct{ FileVersions, Steps, Keys int64 }

// Add adds the counts of more.
func (o *Old) Add(more Old) {
	o.FileVersions += more.FileVersions
	o.Steps += more.Steps
	o.Keys += more.Keys
}

// Before holds the times before which data is old; a zero time means that no
// data is.
type Before struct{ FileVersions, Steps, Keys time.Time }

// ForgetOld removes data that is older than its retention from conversations that remain,
// each in an operation of its own, and returns how much it removed. A dry run only counts.
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
