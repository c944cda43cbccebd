package access

import (
	"context"
	"hash/fnv"
	"strconv"
	"time"

	"example.org/bridge/internal/bridge"
)

// Service gives out access keys and checks them.
type Service struct {
	core   *bridge.Service
	store  Store
	prover prover
}

// New returns a service on a store and the key of that store.
func New(core *bridge.Service, store Store, key bridge.Key) *Service {
	return &Service{core: core, store: store, prover: newProver(key)}
}

// Add makes a key and returns it with its written form, which nobody can see again.
func (s *Service) Add(ctx context.Context, name string, role Role, lifetime time.Duration) (Key, string, error) {
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
		if err := checkNew(name, role, lifetime); err != nil {
			return Kept{}, bridge.RefuseInvalid(op, err)
		}
		if err := admitNew(all, name, now); err != nil {
			return Kept{}, bridge.RefuseInvalid(op, err)
		}
		op.Details["key"], op.Details["name"], op.Details["role"] = id, name, string(role)
		k := Kept{Key: Key{ID: id, Name: name, Role: role, CreatedAt: now, ExpiresAt: now.Add(lifetime)}}
		k.Proof = s.prover.proof(k.Key, secret)
		return k, nil
	})
	if err != nil {
		return Key{}, "", err
	}
	return kept.Key, secret, nil
}

// List returns all keys, the oldest first, and the store's time.
func (s *Service) List(ctx context.Context) ([]Key, time.Time, error) {
	all, clock, err := s.store.AccessKeys(ctx)
	keys := make([]Key, len(all))
	for i, k := range all {
		keys[i] = k.Key
	}
	return keys, clock.Time(s.core.Now()), err
}

// Revoke ends a key, by its name or id. It reports false for one that was revoked
// before. The error may be ErrNoSuchKey.
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

// Caller is what is known of whoever presents a key, beside the key.
type Caller struct {
	// Address is from where the call comes, as the listener sees it.
	Address string
	// Action is what is called, in the words of the audit log.
	Action string
}

// Authenticate returns the key whose written form a caller presents. Anything that
// does not count is recorded and gets ErrRefused.
func (s *Service) Authenticate(ctx context.Context, text string, c Caller) (Key, error) {
	id := ID(text)
	kept, clock, err := s.store.AccessKey(ctx, id)
	if err != nil {
		return Key{}, err
	}
	proved := s.prover.proves(kept, text)
	state := kept.State(clock.Time(s.core.Now()))
	if proved && state == Valid {
		return kept.Key, nil
	}
	details := bridge.Details{}
	if proved {
		details["key"], details["state"] = kept.ID, string(state)
	}
	return Key{}, s.refuse(ctx, c, ErrRefused, details)
}

// RefuseRole records that a key's role does not allow a call, and returns ErrRole.
func (s *Service) RefuseRole(ctx context.Context, k Key, c Caller) error {
	return s.refuse(ctx, c, ErrRole, bridge.Details{"key": k.ID, "role": string(k.Role)})
}

// RefuseForeign records that a holder of a key asked for what is another's, and
// returns reason.
func (s *Service) RefuseForeign(ctx context.Context, k Key, c Caller, reason error) error {
	return s.refuse(ctx, c, reason, bridge.Details{"key": k.ID})
}

// refusalBuckets bounds how many buckets the addresses of strangers can make.
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
