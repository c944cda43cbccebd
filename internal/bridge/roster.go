package bridge

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/cleantext"
)

// MaxSessions is the maximum number of sessions of a conversation: "a" to "z".
const MaxSessions = 26

// SessionIDs lists the names of all possible sessions, in order.
func SessionIDs() []SessionID {
	all := make([]SessionID, MaxSessions)
	for i := range all {
		all[i] = SessionID(rune('a' + i))
	}
	return all
}

// Valid reports whether s is the name of a session, in any conversation.
func (s SessionID) Valid() bool { return len(s) == 1 && 'a' <= s[0] && s[0] <= 'z' }

// Roster holds the sessions of a conversation, ordered by name.
type Roster []SessionState

// Of returns the session of that name. ok is false if there is none.
func (r Roster) Of(id SessionID) (s SessionState, ok bool) {
	i := slices.IndexFunc(r, func(s SessionState) bool { return s.Session == id })
	if i < 0 {
		return SessionState{Session: id}, false
	}
	return r[i], true
}

// Role returns the role of a session; "" if there is no such session.
func (r Roster) Role(id SessionID) string {
	s, _ := r.Of(id)
	return s.Role
}

// Others returns all sessions but self.
func (r Roster) Others(self SessionID) (others Roster) {
	for _, s := range r {
		if s.Session != self {
			others = append(others, s)
		}
	}
	return others
}

// Partners returns the other sessions that accept messages.
func (r Roster) Partners(self SessionID) (partners Roster) {
	for _, s := range r.Others(self) {
		if s.Listens() {
			partners = append(partners, s)
		}
	}
	return partners
}

// IDs returns the names of the sessions.
func (r Roster) IDs() []SessionID {
	ids := make([]SessionID, len(r))
	for i, s := range r {
		ids[i] = s.Session
	}
	return ids
}

// Unread counts the messages that the sessions have not read.
func (r Roster) Unread() (unread int64) {
	for _, s := range r {
		unread += s.Unread
	}
	return unread
}

// MaxListed is the maximum number of sessions that are listed with their roles
// within a text.
const MaxListed = 5

// String lists the names of all sessions, and the first MaxListed with their roles.
// Roles were written by agents, so they are cleaned, shortened and quoted. Every
// session is listed, so that the reader can name any of them.
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
