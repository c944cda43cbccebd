package cli

import (
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// The JSON that programs get. Names and meanings stay; fields may be added.
// What agents wrote is cleaned here too: a program may print it to a terminal.

type jsonConversation struct {
	ConversationID string        `json:"conversation_id"`
	Team           string        `json:"team"`
	TeamID         string        `json:"team_id"`
	CreatedAt      jsonTime      `json:"created_at"`
	ExpiresAt      jsonTime      `json:"expires_at"`
	JoinedAt       jsonTime      `json:"joined_at"`
	Expired        bool          `json:"expired"`
	Messages       int64         `json:"messages"`
	Unread         int64         `json:"unread"`
	Sessions       []jsonSession `json:"sessions"`
}

type jsonSession struct {
	SessionID     string   `json:"session_id"`
	Role          string   `json:"role"`
	Status        string   `json:"status"`
	LastHeartbeat jsonTime `json:"last_heartbeat"`
	AgeSeconds    *int64   `json:"age_seconds"`
	Alive         bool     `json:"alive"`
	Received      int64    `json:"received"`
	Unread        int64    `json:"unread"`
}

func viewConversation(o bridge.Overview, now time.Time) jsonConversation {
	return jsonConversation{
		ConversationID: bridge.CleanLine(o.ID),
		Team:           bridge.Clean(o.Team),
		TeamID:         bridge.CleanLine(o.TeamID),
		CreatedAt:      jsonTime(o.CreatedAt),
		ExpiresAt:      jsonTime(o.ExpiresAt),
		JoinedAt:       jsonTime(o.JoinedAt),
		Expired:        o.Expired(now),
		Messages:       o.A.Received + o.B.Received,
		Unread:         o.A.Unread + o.B.Unread,
		Sessions:       []jsonSession{viewSession(o.A, now), viewSession(o.B, now)},
	}
}

func viewConversations(all []bridge.Overview, now time.Time) []jsonConversation {
	views := make([]jsonConversation, len(all))
	for i, o := range all {
		views[i] = viewConversation(o, now)
	}
	return views
}

func viewSession(s bridge.SessionState, now time.Time) jsonSession {
	view := jsonSession{
		SessionID:     string(s.Session),
		Role:          bridge.Clean(s.Role),
		Status:        bridge.CleanLine(string(s.Status)),
		LastHeartbeat: jsonTime(s.HeartbeatAt),
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

type jsonMessage struct {
	MessageID     int64    `json:"message_id"`
	Seq           int64    `json:"seq"`
	From          string   `json:"from"`
	FromRole      string   `json:"from_role"`
	To            string   `json:"to"`
	ActionType    string   `json:"action_type"`
	Message       string   `json:"message"`
	FilesInvolved []string `json:"files_involved"`
	RedactedKinds []string `json:"redacted_kinds"`
	SentAt        jsonTime `json:"sent_at"`
	Read          bool     `json:"read"`
	Trust         string   `json:"trust"`
}

func viewMessage(m bridge.Message, o bridge.Overview) jsonMessage {
	return jsonMessage{
		MessageID:     m.ID,
		Seq:           m.Seq,
		From:          bridge.CleanLine(m.From),
		FromRole:      bridge.Clean(senderRole(m, o)),
		To:            bridge.CleanLine(string(m.To)),
		ActionType:    bridge.CleanLine(string(m.Action)),
		Message:       bridge.Clean(m.Text),
		FilesInvolved: cleanAll(m.Files),
		RedactedKinds: cleanAll(m.Redacted),
		SentAt:        jsonTime(m.SentAt),
		Read:          m.Read,
		Trust:         "untrusted",
	}
}

// senderRole is the role of who sent m; empty for the bridge itself.
func senderRole(m bridge.Message, o bridge.Overview) string {
	switch m.From {
	case string(bridge.SessionA):
		return o.RoleA
	case string(bridge.SessionB):
		return o.RoleB
	}
	return ""
}

type jsonEntry struct {
	Seq            int64          `json:"seq"`
	Time           jsonTime       `json:"time"`
	ConversationID string         `json:"conversation_id"`
	Session        string         `json:"session"`
	Action         string         `json:"action"`
	Outcome        string         `json:"outcome"`
	Details        map[string]any `json:"details"`
}

func viewEntry(e audit.Entry) jsonEntry {
	return jsonEntry{
		Seq:            e.Seq,
		Time:           jsonTime(e.Time),
		ConversationID: bridge.CleanLine(e.Conversation),
		Session:        bridge.CleanLine(e.Session),
		Action:         bridge.CleanLine(e.Action),
		Outcome:        bridge.CleanLine(e.Outcome),
		Details:        viewDetails(e.Details),
	}
}
