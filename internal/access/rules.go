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
	// MaxKeys is how many keys a store keeps, including revoked and expired ones.
	MaxKeys = 10_000
	// MaxConversations is how many conversations one key is bound to at most.
	MaxConversations = 100
)

// checkName refuses what is not a name.
func checkName(name string) error {
	switch {
	case name == "" || utf8.RuneCountInString(name) > MaxName:
		return bridge.Invalid("name", "must have 1 to %d characters", MaxName)
	case name != cleantext.CleanLine(name) || strings.TrimSpace(name) != name:
		return bridge.Invalid("name", "must be one line of plain text without spaces around it")
	case len(name) == idLength && strings.Trim(name, "0123456789abcdef") == "":
		return bridge.Invalid("name", "looks like the id of a key: take another")
	}
	return nil
}

// checkNew refuses a key that breaks a rule.
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

// checkConversations refuses bounds that are none. The figures that viewers and operators
// read are of the whole store, so that only an agent's key can have bounds.
func checkConversations(role Role, conversations []string) error {
	switch {
	case len(conversations) == 0:
		return nil
	case role != Agent:
		return bridge.Invalid("conversations", "are for the role agent: a %s sees figures of all conversations", role)
	case len(conversations) > MaxConversations:
		return bridge.Invalid("conversations", "must be at most %d, they are %d", MaxConversations, len(conversations))
	}
	for _, id := range conversations {
		if !bridge.IsConversationID(id) {
			return bridge.Invalid("conversations", "must be ids such as conv_0123456789abcdef, in full")
		}
	}
	return nil
}

// admitNew decides whether a key of that name may be added.
func admitNew(all []Kept, name string, now time.Time) error {
	for _, k := range all {
		if k.Name == name && k.State(now) == Valid {
			return bridge.Invalid("name", "is that of a key that counts: revoke it first, or take another")
		}
	}
	if len(all) >= MaxKeys {
		return bridge.Invalid("name", "is one too many: a store keeps %d keys", MaxKeys)
	}
	return nil
}

// pick returns the key with that id, or the newest of that name.
func pick(all []Kept, nameOrID string) (found Kept, ok bool) {
	for _, k := range all {
		if k.ID == nameOrID || k.Name == nameOrID {
			found, ok = k, true
		}
	}
	return found, ok
}
