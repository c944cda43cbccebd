package access

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"example.org/bridge/internal/bridge"
)

// Service issues and checks access keys. It is safe for concurrent use.
type Service struct {
	core   *bridge.Service
	store  Store
	prover prover
}

// New returns a service. key must be the store's master key.
func New(core *bridge.Service, store Store, key bridge.Key) *Service {
	return &Service{core: core, store: store, prover: newProver(key)}
}

// Add creates a key that is valid for lifetime, from MinLifetime to MaxLifetime, and
// returns it with its written form, which cannot be retrieved later. The error is a
// bridge.InvalidError for an invalid name, role or lifetime, or if a valid key has the
// name already. If conversations are given, by their full IDs, the key is valid only
// for these; Add does not check that they exist.
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
			return Kept{}, bridge.RefuseInvalid(op, bridge.Invalid("name", "looks like a secret: choose another"))
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

// Valid returns the rows of all keys that are not revoked and have not expired, by ID.
// It does not check their proofs: a row that is the Same as one that Authenticate
// returned is genuine.
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

// Revoke revokes a key, given its ID or its name (the newest key of that name). changed
// is false if the key was already revoked. The error may be ErrNoSuchKey.
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

// Caller describes who presents a key, and for what.
type Caller struct {
	// Address is the peer's address as the listener sees it.
	Address string
	// Action is the name of the called operation in the audit log.
	Action string
}

// Authenticate returns the row of the key with the given written form. For any other
// text, and for a key that is not valid, it records a refusal and returns ErrRefused.
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

// RefuseRole records that a key's role does not allow a call, and returns ErrRole.
func (s *Service) RefuseRole(ctx context.Context, k Key, c Caller) error {
	return s.refuse(ctx, c, ErrRole, bridge.Details{"key": k.ID, "role": string(k.Role)})
}

// RefuseForeign records that the holder of a key asked for something that belongs to
// another holder, and returns reason.
func (s *Service) RefuseForeign(ctx context.Context, k Key, c Caller, reason error) error {
	return s.refuse(ctx, c, reason, bridge.Details{"key": k.ID})
}

// refusalBuckets is the maximum number of rate limit buckets that unauthenticated
// callers can create by using many addresses.
const refusalBuckets = 256

// refuse records a refusal. Of many refusals from one address only the first are logged
// individually; the rest are counted.
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
