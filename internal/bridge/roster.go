package bridge

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/cleantext"
)

// MaxSessions is how many sessions a conversation has at most: "a" to "z".
const MaxSessions = 26

// SessionIDs lists all names of sessions, in order.
func SessionIDs() []SessionID {
	all := make([]SessionID, MaxSessions)
	for i := range all {
		all[i] = SessionID(rune('a' + i))
	}
	return all
}

// Valid reports whether s is the name of a session, of any conversation.
func (s SessionID) Valid() bool { return len(s) == 1 && 'a' <= s[0] && s[0] <= 'z' }

// Roster is the sessions of a conversation, in order of their names.
type Roster []SessionState

// Of returns the session of that name; ok is false where there is none.
func (r Roster) Of(id SessionID) (s SessionState, ok bool) {
	i := slices.IndexFunc(r, func(s SessionState) bool { return s.Session == id })
	if i < 0 {
		return SessionState{Session: id}, false
	}
	return r[i], true
}

// Role is the role of a session; empty where there is none of that name.
func (r Roster) Role(id SessionID) string {
	s, _ := r.Of(id)
	return s.Role
}

// Others are the sessions but one.
func (r Roster) Others(self SessionID) (others Roster) {
	for _, s := range r {
		if s.Session != self {
			others = append(others, s)
		}
	}
	return others
}

// Partners are the other sessions that take messages.
func (r Roster) Partners(self SessionID) (partners Roster) {
	for _, s := range r.Others(self) {
		if s.Listens() {
			partners = append(partners, s)
		}
	}
	return partners
}

// IDs are the names of the sessions.
func (r Roster) IDs() []SessionID {
	ids := make([]SessionID, len(r))
	for i, s := range r {
		ids[i] = s.Session
	}
	return ids
}

// Unread counts what the sessions have not read.
func (r Roster) Unread() (unread int64) {
	for _, s := range r {
		unread += s.Unread
	}
	return unread
}

// MaxListed is how many sessions are named with their roles in the middle of a text.
const MaxListed = 5

// String names all sessions, and the first MaxListed with their roles, which are what
// agents wrote: quoted, clean and short. Who reads it can name any of them.
func (r Roster) String() string {
	parts := make([]string, len(r))
	for i, s := range r {
		parts[i] = string(s.Session)
		if i < MaxListed {
			parts[i] += fmt.Sprintf(" %q", cleantext.ShortName(s.Role))
		}
		if !s.Joined() {
			parts[i] += " (nobody has joined yet)"
		}
	}
	return strings.Join(parts, ", ")
}
