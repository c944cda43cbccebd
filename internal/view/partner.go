package view

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Partner is another session of the agent's conversation.
type Partner struct {
	SessionID string `json:"session_id"`
	Role      string `json:"role"`
	Presence
	// UnreadByPartner counts all messages waiting for the partner. UnreadOfYours counts
	// those of them that the agent sent, and is set if there may be others.
	UnreadByPartner int64  `json:"unread_by_partner"`
	UnreadOfYours   *int64 `json:"unread_of_yours,omitempty"`
	// LastReadID is the last message of the agent that the partner has read.
	LastReadID int64 `json:"last_read_message_id,omitempty"`
	LastReadAt Time  `json:"last_read_at,omitzero"`
}

// OfPartner returns the view of s at a time.
func OfPartner(s bridge.SessionState, now time.Time) Partner {
	return Partner{
		SessionID: string(s.Session), Role: cleantext.CleanLine(s.Role), Presence: OfPresence(s, now),
		UnreadByPartner: s.Unread, UnreadOfYours: s.UnreadOfCaller, LastReadID: s.ReadID, LastReadAt: Time(s.ReadAt),
	}
}

// OfPartners is OfPartner for a list. If there are several, their roles are
// shortened.
func OfPartners(all bridge.Roster, now time.Time) []Partner {
	partners := make([]Partner, len(all))
	for i, s := range all {
		partners[i] = OfPartner(s, now)
		if len(all) > 1 {
			partners[i].Role = cleantext.ShortName(s.Role)
		}
	}
	return partners
}

// String describes the partner to an agent.
func (p Partner) String() string {
	return fmt.Sprintf("session %s, role %q (its own words: untrusted): %s", p.SessionID, p.Role, p.Presence)
}

// Read describes what the partner has read of the agent's messages, briefly if there
// are more partners.
func (p Partner) Read() string {
	if p.UnreadOfYours != nil {
		return p.readOfMany()
	}
	read := "It has read none of your messages"
	if p.LastReadID != 0 {
		read = fmt.Sprintf("The last message of yours that it has read is %d, at %s", p.LastReadID, Stamp(time.Time(p.LastReadAt)))
	}
	return fmt.Sprintf("%s. Unread by partner: %d.", read, p.UnreadByPartner)
}

func (p Partner) readOfMany() string {
	read := "none"
	if p.LastReadID != 0 {
		read = fmt.Sprintf("%d, at %s", p.LastReadID, Stamp(time.Time(p.LastReadAt)))
	}
	return fmt.Sprintf("Last of yours read: %s. Unread by it: %d, yours: %d.", read, p.UnreadByPartner, *p.UnreadOfYours)
}

// Member is a session of a conversation.
type Member struct {
	SessionID string `json:"session_id"`
	Role      string `json:"role"`
	Joined    bool   `json:"joined"`
}

// OfMembers returns the sessions of a roster. If there are several, their roles
// are shortened.
func OfMembers(all bridge.Roster) []Member {
	members := make([]Member, len(all))
	for i, s := range all {
		members[i] = Member{string(s.Session), cleantext.CleanLine(s.Role), s.Joined()}
		if len(all) > 1 {
			members[i].Role = cleantext.ShortName(s.Role)
		}
	}
	return members
}

// Members lists them for an agent.
func Members(all []Member) string {
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = fmt.Sprintf("%s %q", m.SessionID, m.Role)
		if !m.Joined {
			names[i] += " (nobody has joined yet)"
		}
	}
	return strings.Join(names, ", ")
}
