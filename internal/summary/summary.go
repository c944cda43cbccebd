// Package summary gathers what an operator wants to see at a glance: what waits for a
// decision, which agents are stuck, who is there, and what happened in the last hour and
// the last day. It reads only, and decides how nothing looks.
package summary

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/tasks"
)

// Sources are the services of one store.
type Sources struct {
	Bridge   *bridge.Service
	Commands *commands.Service
	Tasks    *tasks.Service
	Claims   *claims.Service
	// Log is followed for how long messages waited; nil where that is not asked.
	Log *Log
}

// Summary is how things stand at a time.
type Summary struct {
	At time.Time
	// Live counts the conversations that have not expired, Paused those of them that the
	// operator has paused.
	Live, Paused int
	// Alive and Silent count the agents of live conversations that have joined.
	Alive, Silent int
	// Unread counts the messages that wait in live conversations.
	Unread int64
	// All are the conversations, the newest first, and Agents those of the live ones, the
	// stuck first, then those seen last.
	All    []bridge.Overview
	Agents []Agent
	// Requests are the commands that the operator may decide now, the newest first.
	Requests []commands.Request
	// Tasks are those that have not ended, and Claims the claims that stand.
	Tasks  []tasks.Task
	Claims []claims.Claim
}

// Gather reads how things stand now.
func (s Sources) Gather(ctx context.Context, now time.Time) (sum Summary, err error) {
	sum.At = now
	if sum.All, err = s.Bridge.Conversations(ctx); err != nil {
		return sum, err
	}
	sum.Agents = Agents(sum.All, now)
	sum.count(now)
	if sum.Requests, err = s.waiting(ctx, now); err != nil {
		return sum, err
	}
	if sum.Tasks, err = s.Tasks.Tasks(ctx, true); err != nil {
		return sum, err
	}
	sum.Claims, _, err = s.Claims.Held(ctx)
	return sum, err
}

func (s *Summary) count(now time.Time) {
	for _, c := range s.All {
		if c.Expired(now) {
			continue
		}
		s.Live++
		s.Unread += c.Sessions.Unread()
		if !c.PausedAt.IsZero() {
			s.Paused++
		}
	}
	for _, a := range s.Agents {
		switch {
		case a.Alive(now):
			s.Alive++
		case a.Joined():
			s.Silent++
		}
	}
}

// Stuck are the agents that somebody should look at.
func (s Summary) Stuck() []Agent {
	for i, a := range s.Agents {
		if !a.Stuck(s.At) {
			return s.Agents[:i] // they come first
		}
	}
	return s.Agents
}

// News are the messages of live conversations that the operator has not looked at, and in
// how many conversations they are.
type News struct{ Messages, Conversations int64 }

// NewsOf counts them; unseen is what a Log says, by conversation.
func NewsOf(all []bridge.Overview, unseen map[string]Unseen, now time.Time) (n News) {
	for _, c := range all {
		if m := unseen[c.ID].Messages; m > 0 && !c.Expired(now) {
			n.Messages += m
			n.Conversations++
		}
	}
	return n
}

// Unassigned are the tasks that nobody has.
func (s Summary) Unassigned() (waiting []tasks.Task) {
	for _, t := range s.Tasks {
		if t.State == tasks.Waiting {
			waiting = append(waiting, t)
		}
	}
	return waiting
}

// waiting are the requests that may be decided now.
func (s Sources) waiting(ctx context.Context, now time.Time) (waiting []commands.Request, err error) {
	all, err := s.Commands.Commands(ctx, commands.Query{State: commands.StatePending})
	for _, r := range all {
		if r.Waiting(now) {
			waiting = append(waiting, r)
		}
	}
	return waiting, err
}
