package view

import (
	"time"

	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/cleantext"
)

// Claim is a session's claim on a path or pattern.
type Claim struct {
	ClaimID        int64  `json:"claim_id"`
	Path           string `json:"path"`
	Exclusive      bool   `json:"exclusive"`
	ConversationID string `json:"conversation_id"`
	SessionID      string `json:"session_id"`
	Role           string `json:"role"`
	Reason         string `json:"reason"`
	TaskID         *int64 `json:"task_id"`
	TeamID         string `json:"team_id"`
	// SecondsLeft is how long it lasts if its holder shows no further sign of
	// life.
	SecondsLeft int64  `json:"seconds_left"`
	TakenAt     Time   `json:"taken_at"`
	Trust       string `json:"trust"`
}

// ClaimOf returns the view of c for the operator.
func ClaimOf(c claims.Claim, now time.Time) Claim {
	v := Claim{
		ClaimID: c.ID, Path: cleantext.CleanLine(c.Path), Exclusive: !c.Shared, ConversationID: c.Conversation,
		SessionID: string(c.Session), Role: cleantext.CleanLine(c.Role), Reason: cleantext.CleanLine(c.Reason), TeamID: c.TeamID,
		SecondsLeft: int64(c.Left(now).Seconds()), TakenAt: Time(c.TakenAt), Trust: untrusted,
	}
	if c.Task != 0 {
		v.TaskID = &c.Task
	}
	return v
}

// Holder is the session that has claimed a path, for the agent that was
// refused.
type Holder struct {
	ConversationID string `json:"conversation_id"`
	SessionID      string `json:"session_id"`
	Role           string `json:"role"`
	Claimed        string `json:"claimed"`
	Reason         string `json:"reason"`
	SecondsLeft    int64  `json:"seconds_left"`
	Trust          string `json:"trust"`
}

// HolderOf returns the holder named in a refusal.
func HolderOf(e *claims.HeldError) *Holder {
	return &Holder{
		ConversationID: e.Conversation, SessionID: string(e.Session), Role: cleantext.CleanLine(e.Role),
		Claimed: cleantext.CleanLine(e.Claimed), Reason: cleantext.CleanLine(e.Reason), SecondsLeft: int64(e.Left.Seconds()), Trust: untrusted,
	}
}

// Text describes the holder for an agent. Each line that an agent wrote begins
// with "> ".
func (h Holder) Text() string {
	text := "Its holder has claimed\n" + cleantext.Quote(h.Claimed) + "\nand is, in its own words,\n" + cleantext.Quote(h.Role)
	if h.Reason != "" {
		text += "\nbecause of\n" + cleantext.Quote(h.Reason)
	}
	return text
}
