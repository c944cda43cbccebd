package access

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"example.org/bridge/internal/bridge"
)

// Service issues access keys and checks them. It is safe for concurrent use.
type Service struct {
	core   *bridge.Service
	store  Store
	prover prover
}

// New returns a service. key must be the master key of the store.
func New(core *bridge.Service, store Store, key bridge.Key) *Service {
	return &Service{core: core, store: store, prover: newProver(key)}
}

// Add makes a key that is valid for lifetime, from MinLifetime to MaxLifetime, and
// returns it with its written form, which cannot be read again. The error is a
// bridge.InvalidError for a name, role or lifetime that breaks a rule, or if a valid
// key has the name. With conversations, given by their full ids, the key is valid for these
// only; it is not looked whether there are such.
func (s *Service) Add(ctx context.Context, name string, role Role, lifetime time.Duration, conversations ...string) (Key, string, error) {
	conversations = slices.Compact(slices.Sorted(slices.Values(conversations)))
	op := s.core.OperatorOperation("access_add", "")
	id, secret := newSecret()
	clean := s.core.Redaction(ctx)
	hidden := clean.Text(name) != name
	if err := clean.Err(); err != nil {
		return Key{}, "", err
	}
	kept, err := s.store.ChangeAccessKeys(ctx, op, func(all []Kept, now time.Time) (Kept, error) {
		if hidden {
			return Kept{}, bridge.RefuseInvalid(op, bridge.Invalid("name", "looks like a secret: take another"))
		}
		if err := checkNew(name, role, lifetime, conversations); err != nil {
			return Kept{}, bridge.RefuseInvalid(op, err)
		}
		if err := admitNew(all, name, now); err != nil {
			return Kept{}, bridge.RefuseInvalid(op, err)
		}
		op.Details["key"], op.Details["name"], op.Details["role"] = id, name, string(role)
		if len(conversations) > 0 {
			op.Details["conversations"] = conversations
		}
		k := Kept{Key: Key{ID: id, Name: name, Role: role, Conversations: conversations, CreatedAt: now, ExpiresAt: now.Add(lifetime)}}
		k.Proof = s.prover.proof(k.Key, secret)
		return k, nil
	})
	if err != nil {
		return Key{}, "", err
	}
	return kept.Key, secret, nil
}

// List returns all keys, oldest first, and the store's time.
func (s *Service) List(ctx context.Context) ([]Key, time.Time, error) {
	all, clock, err := s.store.AccessKeys(ctx)
	keys := make([]Key, len(all))
	for i, k := range all {
		keys[i] = k.Key
	}
	return keys, clock.Time(s.core.Now()), err
}

// Valid returns the rows of all keys that are not revoked and have not expired, by their
// ids. Whether they prove is not looked: one that is the Same as Authenticate returned does.
func (s *Service) Valid(ctx context.Context) (map[string]Kept, error) {
	all, clock, err := s.store.AccessKeys(ctx)
	now := clock.Time(s.core.Now())
	valid := map[string]Kept{}
	for _, k := range all {
		if k.State(now) == Valid {
			valid[k.ID] = k
		}
	}
	return valid, err
}

// Revoke ends a key, given its id or its name (the newest key of that name). changed is
// false if the key was revoked before. The error may be ErrNoSuchKey.
func (s *Service) Revoke(ctx context.Context, nameOrID string) (k Key, changed bool, err error) {
	op := s.core.OperatorOperation("access_revoke", "")
	kept, err := s.store.ChangeAccessKeys(ctx, op, func(all []Kept, now time.Time) (Kept, error) {
		found, ok := pick(all, nameOrID)
		if !ok {
			return Kept{}, &bridge.Refusal{Reason: ErrNoSuchKey, Outcome: bridge.OutcomeRefused}
		}
		op.Details["key"] = found.ID
		if changed = found.RevokedAt.IsZero(); changed {
			found.RevokedAt = now
		}
		return found, nil
	})
	return kept.Key, changed, err
}

// Caller describes a request that presents a key.
type Caller struct {
	// Address is the peer's address as the listener sees it.
	Address string
	// Action is what is called, as the audit log names it.
	Action string
}

// Authenticate returns the row of the key whose written form is text. For any other text,
// and for a key that is not valid, it records a refusal and returns ErrRefused.
func (s *Service) Authenticate(ctx context.Context, text string, c Caller) (Kept, error) {
	id := ID(text)
	kept, clock, err := s.store.AccessKey(ctx, id)
	if err != nil {
		return Kept{}, err
	}
	proved := s.prover.proves(kept, text)
	state := kept.State(clock.Time(s.core.Now()))
	if proved && state == Valid {
		return kept, nil
	}
	details := bridge.Details{}
	if proved {
		details["key"], details["state"] = kept.ID, string(state)
	}
	return Kept{}, s.refuse(ctx, c, ErrRefused, details)
}

// RefuseRole records that the role of a key does not allow a call, and returns ErrRole.
func (s *Service) RefuseRole(ctx context.Context, k Key, c Caller) error {
	return s.refuse(ctx, c, ErrRole, bridge.Details{"key": k.ID, "role": string(k.Role)})
}

// RefuseForeign records that the holder of a key asked for something that belongs to
// another holder, and returns reason.
func (s *Service) RefuseForeign(ctx context.Context, k Key, c Caller, reason error) error {
	return s.refuse(ctx, c, reason, bridge.Details{"key": k.ID})
}

// refusalBuckets bounds how many buckets the addresses of unproven callers can make.
const refusalBuckets = 256

// refuse records a refusal: of a flood from one address the first ones are logged and
// the rest counted.
func (s *Service) refuse(ctx context.Context, c Caller, reason error, details bridge.Details) error {
	details["from"] = c.Address
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(c.Address))
	bucket := "refused/access/" + strconv.Itoa(int(hash.Sum32()%refusalBuckets))
	op := bridge.Operation{Now: s.core.Now(), Actor: "?", Action: c.Action, Details: details}
	return s.store.RefuseAccess(ctx, op, bridge.Refusal{
		Reason:  reason,
		Outcome: bridge.OutcomeUnauthorized,
		Flood:   bridge.Charge{Bucket: bucket, What: "failing to prove an access key", Kind: bridge.LimitFailures},
	})
}
