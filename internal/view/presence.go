package view

import (
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// Presence tells whether a session is active, which is observed, and what its
// agent reports as its status: an agent with the status "working" may be gone.
type Presence struct {
	Joined     bool   `json:"joined"`
	Status     string `json:"status"`
	Alive      bool   `json:"alive"`
	LastSeen   Time   `json:"last_seen"`
	AgeSeconds *int64 `json:"age_seconds"`
}

// OfPresence returns the presence of s at a time.
func OfPresence(s bridge.SessionState, now time.Time) Presence {
	p := Presence{
		Joined:   s.Joined(),
		Status:   cleantext.CleanLine(string(s.Status)),
		Alive:    s.Alive(now),
		LastSeen: Time(s.SeenAt),
	}
	if p.Status == "" {
		p.Status = "unknown"
	}
	if age, ok := s.Age(now); ok {
		seconds := int64(age.Seconds())
		p.AgeSeconds = &seconds
	}
	return p
}

// String describes both.
func (p Presence) String() string {
	if !p.Joined {
		return "nobody has joined yet"
	}
	seen := "not seen yet"
	if p.AgeSeconds != nil {
		seen = fmt.Sprintf("last seen %d seconds ago", *p.AgeSeconds)
	}
	said := "status: " + p.Status
	if p.Status == string(bridge.StatusComplete) {
		said = "said complete"
	}
	return fmt.Sprintf("%s, alive: %t, %s", said, p.Alive, seen)
}
