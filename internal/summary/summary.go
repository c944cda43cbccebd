// Package summary gathers what an operator wants to see at a glance: what is waiting for
// a decision, which agents are stuck, which are active, and what happened in the last
// hour and the last day. It only reads, and leaves the presentation to others.
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
	// Log is followed for delays of messages; nil if they are not needed.
	Log *Log
}

// Summary describes the state of a store at a time.
type Summary struct {
	At time.Time
	// Live counts the conversations that have not expired, and Paused those of them that
	// the operator has paused.
	Live, Paused int
	// Alive and Silent count the agents of live conversations that have joined.
	Alive, Silent int
	// Unread counts the unread messages in live conversations.
	Unread int64
	// All are all conversations, newest first. Agents are the agents of live
	// conversations: stuck ones first, then those seen last.
	All    []bridge.Overview
	Agents []Agent
	// Requests are the commands waiting for the operator's decision, newest first.
	Requests []commands.Request
	// Tasks are the tasks that have not ended, and Claims the claims in force.
	Tasks  []tasks.Task
	Claims []claims.Claim
}

// Gather returns the current state.
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

// Stuck returns the agents that somebody should look after.
func (s Summary) Stuck() []Agent {
	for i, a := range s.Agents {
		if !a.Stuck(s.At) {
			return s.Agents[:i] // stuck agents come first
		}
	}
	return s.Agents
}

// News counts the messages of live conversations that the operator has not seen, and the
// conversations with such messages.
type News struct{ Messages, Conversations int64 }

// NewsOf counts them, given the result of Log.Unseen.
func NewsOf(all []bridge.Overview, unseen map[string]Unseen, now time.Time) (n News) {
	for _, c := range all {
		if m := unseen[c.ID].Messages; m > 0 && !c.Expired(now) {
			n.Messages += m
			n.Conversations++
		}
	}
	return n
}

// Unassigned returns the tasks without a worker.
func (s Summary) Unassigned() (waiting []tasks.Task) {
	for _, t := range s.Tasks {
		if t.State == tasks.Waiting {
			waiting = append(waiting, t)
		}
	}
	return waiting
}

// waiting returns the requests that can be decided now.
func (s Sources) waiting(ctx context.Context, now time.Time) (waiting []commands.Request, err error) {
	all, err := s.Commands.Commands(ctx, commands.Query{State: commands.StatePending})
	for _, r := range all {
		if r.Waiting(now) {
			waiting = append(waiting, r)
		}
	}
	return waiting, err
}
