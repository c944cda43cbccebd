// Package access decides who may use a gateway. An operator gives each machine or agent
// an access key, which is shown once; the store keeps only a proof of it.
//
// A key authenticates its holder to a gateway and nothing more: an operation in a
// conversation also needs that session's token. A key that is bound to conversations
// (Key.Conversations) is refused in all others, even with a valid token, so that tokens
// that were stolen with it, or are found on its holder's machine, open no other
// conversation.
//
// Threat model: a stolen copy of the store gives no access, because it holds only an
// HMAC under the master key. A row that was changed, or copied to another store, is not
// accepted, because the HMAC covers every field and each store has its own master key.
// Wrong, unknown, revoked and expired keys all get the same answer after the same
// amount of work.
//
// The rules are pure functions (rules.go); the store keeps their results.
// docs/machines.md describes access keys for operators.
package access

import (
	"context"
	"crypto/hmac"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Errors of this package.
var (
	// ErrRefused is the only answer to a key that is unknown, wrong, of another store,
	// revoked or expired. It does not say which.
	ErrRefused = errors.New("the access key is not valid here")
	// ErrRole reports a key whose role does not allow the request.
	ErrRole = errors.New("the role of this access key does not allow that")
	// ErrNoSuchKey reports to an operator that no key has that name or ID.
	ErrNoSuchKey = errors.New("no such access key")
)

// Role is what the holder of a key may do.
type Role string

// The roles. A role permits only what is listed here; no role includes another.
const (
	// Agent may call the tools.
	Agent Role = "agent"
	// Viewer may read figures.
	Viewer Role = "viewer"
	// Operator may call the tools and read figures.
	Operator Role = "operator"
)

// Roles returns all roles.
func Roles() []Role { return []Role{Agent, Viewer, Operator} }

// Calls reports whether the role may call tools.
func (r Role) Calls() bool { return r == Agent || r == Operator }

// Watches reports whether the role may read figures.
func (r Role) Watches() bool { return r == Viewer || r == Operator }

// Key is an access key without its secret.
type Key struct {
	// ID is 12 hexadecimal characters. It is not secret and appears in the audit log.
	ID string
	// Name is the operator's name for the holder, 1 to MaxName characters on one line.
	// No two valid keys have the same name.
	Name string
	Role Role
	// Conversations are the conversations in which the holder may act, sorted; empty
	// means all. The holder of a bound key cannot create or join others.
	Conversations []string
	CreatedAt     time.Time
	ExpiresAt     time.Time
	// RevokedAt is when the key was revoked, or zero.
	RevokedAt time.Time
}

// State says whether a key is accepted.
type State string

// The states of a key.
const (
	Valid   State = "valid"
	Expired State = "expired"
	Revoked State = "revoked"
)

// State returns the key's state at the time now. A revoked key that has also expired is
// Revoked.
func (k Key) State(now time.Time) State {
	switch {
	case !k.RevokedAt.IsZero():
		return Revoked
	case !now.Before(k.ExpiresAt):
		return Expired
	}
	return Valid
}

// Kept is an access key as the store keeps it.
type Kept struct {
	Key
	// Proof is an HMAC-SHA-256, under a key derived from the master key, of the secret
	// and of every field except RevokedAt.
	Proof []byte
}

// Same reports whether two rows agree in the proof and in all fields that it covers. If
// the written key proves one of them, it also proves the other.
func (k Kept) Same(as Kept) bool {
	return k.ID == as.ID && k.Name == as.Name && k.Role == as.Role && slices.Equal(k.Conversations, as.Conversations) &&
		k.CreatedAt.Equal(as.CreatedAt) && k.ExpiresAt.Equal(as.ExpiresAt) && hmac.Equal(k.Proof, as.Proof)
}

// Store is the part of a store that keeps access keys. The methods that read also
// return the store's clock.
type Store interface {
	// AccessKeys returns all keys, oldest first, and the store's clock.
	AccessKeys(ctx context.Context) ([]Kept, bridge.Clock, error)
	// AccessKey returns the key with the given ID, or the zero Kept if there is none,
	// and the store's clock.
	AccessKey(ctx context.Context, id string) (Kept, bridge.Clock, error)
	// ChangeAccessKeys calls rule with all keys, stores the one key that it returns,
	// and records op, all in one transaction. If rule returns a bridge.Refusal, nothing
	// is stored and the refusal is recorded.
	ChangeAccessKeys(ctx context.Context, op bridge.Operation, rule Rule) (Kept, error)
	// RefuseAccess records that op was refused for the reason in r, and returns that
	// reason.
	RefuseAccess(ctx context.Context, op bridge.Operation, r bridge.Refusal) error
}

// Rule returns the key that an operation adds or changes, given all keys and the
// store's time. It does not access the store.
type Rule func(all []Kept, now time.Time) (Kept, error)
