package access

import (
	"strings"
	"time"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Limits of access keys.
const (
	MaxName         = 60 // characters
	DefaultLifetime = 90 * 24 * time.Hour
	MinLifetime     = time.Minute
	MaxLifetime     = 10 * 366 * 24 * time.Hour
	// MaxKeys is the maximum number of keys in a store, including revoked and expired
	// ones.
	MaxKeys = 10_000
	// MaxConversations is the maximum number of conversations that one key can be bound
	// to.
	MaxConversations = 100
)

// checkName refuses an invalid name.
func checkName(name string) error {
	switch {
	case name == "" || utf8.RuneCountInString(name) > MaxName:
		return bridge.Invalid("name", "must have 1 to %d characters", MaxName)
	case name != cleantext.CleanLine(name) || strings.TrimSpace(name) != name:
		return bridge.Invalid("name", "must be one line of plain text without spaces around it")
	case len(name) == idLength && strings.Trim(name, "0123456789abcdef") == "":
		return bridge.Invalid("name", "looks like the id of a key: choose another")
	}
	return nil
}

// checkNew refuses a key with invalid properties.
func checkNew(name string, role Role, lifetime time.Duration, conversations []string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkConversations(role, conversations); err != nil {
		return err
	}
	if !role.Calls() && !role.Watches() {
		return bridge.Invalid("role", "must be agent, viewer or operator")
	}
	if lifetime < MinLifetime || lifetime > MaxLifetime {
		return bridge.Invalid("expires", "must be between %s and 10 years", MinLifetime)
	}
	return nil
}

// checkConversations checks the conversations that a key is to be bound to. Only an
// agent's key can be bound, because the figures that viewers and operators read cover
// the whole store.
func checkConversations(role Role, conversations []string) error {
	switch {
	case len(conversations) == 0:
		return nil
	case role != Agent:
		return bridge.Invalid("conversations", "can only be set for the role agent: a %s sees figures of all conversations", role)
	case len(conversations) > MaxConversations:
		return bridge.Invalid("conversations", "must be at most %d, not %d", MaxConversations, len(conversations))
	}
	for _, id := range conversations {
		if !bridge.IsConversationID(id) {
			return bridge.Invalid("conversations", "must be full ids such as conv_0123456789abcdef")
		}
	}
	return nil
}

// admitNew decides whether a key with the given name may be added.
func admitNew(all []Kept, name string, now time.Time) error {
	for _, k := range all {
		if k.Name == name && k.State(now) == Valid {
			return bridge.Invalid("name", "belongs to a valid key: revoke that key first, or choose another name")
		}
	}
	if len(all) >= MaxKeys {
		return bridge.Invalid("name", "cannot be added: a store holds at most %d keys", MaxKeys)
	}
	return nil
}

// pick returns the key with that ID, or the newest with that name.
func pick(all []Kept, nameOrID string) (found Kept, ok bool) {
	for _, k := range all {
		if k.ID == nameOrID || k.Name == nameOrID {
			found, ok = k, true
		}
	}
	return found, ok
}
