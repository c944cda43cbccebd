// Package access says who may speak to a gateway. An operator gives each machine or
// agent an access key, which is shown once; the store keeps only what proves it.
//
// A key proves its holder to a gateway and nothing more: whoever acts in a
// conversation needs that session's token as well. Threats: a stolen copy of the
// store opens nothing, because it holds an HMAC under the master key; a row that was
// changed, or copied to another store, proves nothing, because the HMAC covers every
// field and each store has its own key; a wrong, unknown, revoked and expired key get
// one answer, after the same work.
//
// What is decided is a pure function (rules.go); the store keeps what comes of it.
package access

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Errors of this package.
var (
	// ErrRefused is the one answer to a key that is unknown, wrong, of another store,
	// revoked or expired.
	ErrRefused = errors.New("the access key is not valid here")
	// ErrRole reports a key whose role does not allow what was asked for.
	ErrRole = errors.New("the role of this access key does not allow that")
	// ErrNoSuchKey reports, to an operator, that there is no such key.
	ErrNoSuchKey = errors.New("no such access key")
)

// Role says what the holder of a key may do.
type Role string

// The roles. Each may do only what stands here: none contains another.
const (
	// Agent calls the tools.
	Agent Role = "agent"
	// Viewer reads figures.
	Viewer Role = "viewer"
	// Operator calls the tools and reads figures.
	Operator Role = "operator"
)

// Roles are all roles.
func Roles() []Role { return []Role{Agent, Viewer, Operator} }

// Calls reports whether the role may call tools.
func (r Role) Calls() bool { return r == Agent || r == Operator }

// Watches reports whether the role may read figures.
func (r Role) Watches() bool { return r == Viewer || r == Operator }

// Key is an access key without its secret.
type Key struct {
	// ID is 12 hexadecimal characters; it is no secret.
	ID string
	// Name is what the operator calls the holder. No two keys that count have the
	// same.
	Name      string
	Role      Role
	CreatedAt time.Time
	ExpiresAt time.Time
	// RevokedAt is zero for a key that was not revoked.
	RevokedAt time.Time
}

// State is what a key is worth.
type State string

// The states of a key.
const (
	Valid   State = "valid"
	Expired State = "expired"
	Revoked State = "revoked"
)

// State is what the key is worth at the store's time now.
func (k Key) State(now time.Time) State {
	switch {
	case !k.RevokedAt.IsZero():
		return Revoked
	case !now.Before(k.ExpiresAt):
		return Expired
	}
	return Valid
}

// Kept is a key as a store keeps it.
type Kept struct {
	Key
	// Proof is an HMAC of the secret and of every field but RevokedAt.
	Proof []byte
}

// Store is the part of a store that keeps access keys.
type Store interface {
	// AccessKeys returns all keys, the oldest first, and the store's clock.
	AccessKeys(ctx context.Context) ([]Kept, bridge.Clock, error)
	// AccessKey returns the key with an id, or a zero one, and the store's clock.
	AccessKey(ctx context.Context, id string) (Kept, bridge.Clock, error)
	// ChangeAccessKeys records op and keeps the one key that rule makes or changes of
	// all that there are. An error of rule that is a bridge.Refusal is recorded.
	ChangeAccessKeys(ctx context.Context, op bridge.Operation, rule Rule) (Kept, error)
	// RefuseAccess records that op is refused, as r says, and returns r's reason.
	RefuseAccess(ctx context.Context, op bridge.Operation, r bridge.Refusal) error
}

// Rule decides on all keys, at the store's time. It is pure.
type Rule func(all []Kept, now time.Time) (Kept, error)
