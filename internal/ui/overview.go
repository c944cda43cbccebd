package ui

import (
	"net/http"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// sources are what the first page and the roster are made of.
func (s *Server) sources() summary.Sources {
	return summary.Sources{Bridge: s.Bridge, Commands: s.Commands, Tasks: s.Tasks, Claims: s.Claims}
}

// overview is the first page: what waits for the operator, and how things stand.
func (s *Server) overview(r *http.Request) (content, error) {
	now := s.Now()
	sum, err := s.sources().Gather(r.Context(), now)
	if err != nil {
		return content{}, err
	}
	hour, err := s.Bridge.CountMessages(r.Context(), now.Add(-time.Hour))
	if err != nil {
		return content{}, err
	}
	stuck, p := paged(r, agentsOf(sum.Stuck(), now), "")
	data := struct {
		Requests []request
		Stuck    []agent
		Pager    pager
		Tasks    []view.Task
		Tiles    []tile
		Verified verdict
	}{Stuck: stuck, Pager: p, Tiles: tiles(sum, hour), Verified: s.verdict()}
	for _, one := range sum.Requests {
		data.Requests = append(data.Requests, requestOf(one, now))
	}
	for _, t := range sum.Unassigned() {
		data.Tasks = append(data.Tasks, view.TaskOf(t, now))
	}
	return content{"overview", "Overview", data}, nil
}

// tile is one figure of the first page.
type tile struct {
	Name, Path string
	Value      int64
}

func tiles(sum summary.Summary, hour bridge.MessageCount) []tile {
	var sent int64
	for _, n := range hour.BySender {
		sent += n
	}
	return []tile{
		{"live conversations", "conversations?show=live", int64(sum.Live)},
		{"agents alive", "agents", int64(sum.Alive)},
		{"sent in the last hour", "figures", sent},
		{"unread messages", "conversations?show=unread", sum.Unread},
		{"open tasks", "tasks", int64(len(sum.Tasks))},
	}
}

// agent is a session, with its conversation.
type agent struct {
	view.Session
	ConversationID, Team string
	Paused, Stuck        bool
}

func agentsOf(all []summary.Agent, now time.Time) []agent {
	agents := make([]agent, len(all))
	for i, a := range all {
		agents[i] = agent{view.OfSession(a.SessionState, now), cleantext.CleanLine(a.Conversation), cleantext.Clean(a.Team), a.Paused, a.Stuck(now)}
	}
	return agents
}

func (s *Server) agents(r *http.Request) (content, error) {
	now := s.Now()
	all, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return content{}, err
	}
	some, p := paged(r, summary.Agents(all, now), "agents")
	return content{"agents", "Agents", struct {
		Agents []agent
		Pager  pager
	}{agentsOf(some, now), p}}, nil
}
