package summary

import (
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Agent is a session of a live conversation. Role, status and team were written by
// agents: clean them before showing them.
type Agent struct {
	bridge.SessionState
	Conversation, Team string
	Paused             bool
}

// Stuck reports whether somebody should look after the agent: it reports that it is
// blocked, or it has unread messages and does not read them.
func (a Agent) Stuck(now time.Time) bool {
	if !a.Joined() || a.Paused {
		return false
	}
	unread := a.Unread > 0 && !a.Alive(now) && a.Status != bridge.StatusComplete
	return a.Status == bridge.StatusBlocked || unread
}

// Agents returns the sessions of the conversations that have not expired: stuck ones
// first, then those seen last.
func Agents(all []bridge.Overview, now time.Time) (agents []Agent) {
	for _, c := range all {
		if c.Expired(now) {
			continue
		}
		for _, s := range c.Sessions {
			agents = append(agents, Agent{SessionState: s, Conversation: c.ID, Team: c.Team, Paused: !c.PausedAt.IsZero()})
		}
	}
	slices.SortStableFunc(agents, func(a, b Agent) int {
		if x, y := a.Stuck(now), b.Stuck(now); x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.SeenAt.Compare(a.SeenAt)
	})
	return agents
}
