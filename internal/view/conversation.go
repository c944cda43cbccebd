package view

import (
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Conversation is a conversation as the operator sees it.
type Conversation struct {
	ConversationID string    `json:"conversation_id"`
	Team           string    `json:"team"`
	TeamID         string    `json:"team_id"`
	CreatedAt      Time      `json:"created_at"`
	ExpiresAt      Time      `json:"expires_at"`
	JoinedAt       Time      `json:"joined_at"` // of session b
	Expired        bool      `json:"expired"`
	EndMoved       bool      `json:"end_moved"` // by something other than bridge
	Paused         bool      `json:"paused"`
	Messages       int64     `json:"messages"`
	Unread         int64     `json:"unread"`
	Sessions       []Session `json:"sessions"`
}

// Session is one session of a conversation.
type Session struct {
	SessionID     string `json:"session_id"`
	Role          string `json:"role"`
	Status        string `json:"status"`
	Joined        bool   `json:"joined"`
	LastHeartbeat Time   `json:"last_heartbeat"` // the last sign of life
	AgeSeconds    *int64 `json:"age_seconds"`
	Alive         bool   `json:"alive"`
	Received      int64  `json:"received"`
	Unread        int64  `json:"unread"`
}

// OfConversation returns the view of o at a time.
func OfConversation(o bridge.Overview, now time.Time) Conversation {
	b, _ := o.Sessions.Of(bridge.SessionB)
	sessions := make([]Session, len(o.Sessions))
	for i, s := range o.Sessions {
		sessions[i] = OfSession(s, now)
	}
	return Conversation{
		ConversationID: cleantext.CleanLine(o.ID),
		Team:           cleantext.Clean(o.Team),
		TeamID:         cleantext.CleanLine(o.TeamID),
		CreatedAt:      Time(o.CreatedAt),
		ExpiresAt:      Time(o.ExpiresAt),
		JoinedAt:       Time(b.JoinedAt),
		Expired:        o.Expired(now),
		EndMoved:       o.EndMoved,
		Paused:         !o.PausedAt.IsZero(),
		Messages:       o.Messages(),
		Unread:         o.Sessions.Unread(),
		Sessions:       sessions,
	}
}

// OfConversations is OfConversation for a list.
func OfConversations(all []bridge.Overview, now time.Time) []Conversation {
	views := make([]Conversation, len(all))
	for i, o := range all {
		views[i] = OfConversation(o, now)
	}
	return views
}

// OfSession returns the view of s at a time.
func OfSession(s bridge.SessionState, now time.Time) Session {
	view := Session{
		SessionID:     string(s.Session),
		Role:          cleantext.Clean(s.Role),
		Status:        cleantext.CleanLine(string(s.Status)),
		Joined:        s.Joined(),
		LastHeartbeat: Time(s.SeenAt),
		Alive:         s.Alive(now),
		Received:      s.Received,
		Unread:        s.Unread,
	}
	if age, ok := s.Age(now); ok {
		seconds := int64(age.Seconds())
		view.AgeSeconds = &seconds
	}
	return view
}
