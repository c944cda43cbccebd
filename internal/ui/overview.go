package ui

import (
	"strconv"
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// sources returns the sources of the overview and of the list of agents.
func (s *Server) sources() summary.Sources {
	return summary.Sources{Bridge: s.Bridge, Commands: s.Commands, Tasks: s.Tasks, Claims: s.Claims, Log: s.log}
}

// overview shows the first page: what needs a decision of the operator, and the state of
// agents, tasks and messages.
func (s *Server) overview(r look) (content, error) {
	now := s.Now()
	sum, err := s.sources().Gather(r.Context(), now)
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
		News     summary.News

		MoreRequests, MoreTasks int
	}{Stuck: stuck, Pager: p, Tiles: tiles(sum, s.lastCounts()), Verified: s.verdict(), News: summary.NewsOf(sum.All, s.unseen(), now)}
	requests, more := few(r, sum.Requests)
	for _, one := range requests {
		data.Requests = append(data.Requests, requestOf(one, now))
	}
	data.MoreRequests = more
	waiting, more := few(r, sum.Unassigned())
	for _, t := range waiting {
		data.Tasks = append(data.Tasks, view.TaskOf(t, now))
	}
	data.MoreTasks = more
	return content{"overview", "Overview", data}, nil
}

// unseen returns the messages since the operator last viewed each conversation: those of
// the last count, without conversations viewed since.
func (s *Server) unseen() map[string]summary.Unseen {
	counts, all := s.lastCounts(), map[string]summary.Unseen{}
	s.turn.Lock()
	defer s.turn.Unlock()
	for id, u := range counts.Unseen {
		if u.Last.After(s.looked[id]) {
			all[id] = u
		}
	}
	return all
}

// few returns the beginning of a list that shares its page with others, and how many items
// are left out.
func few[T any](r look, all []T) ([]T, int) {
	n := min(len(all), max(r.share(20), 1))
	return all[:n], len(all) - n
}

// tile is one figure of the overview.
type tile struct {
	Name, Path string
	Value      string
}

func tiles(sum summary.Summary, c counted) []tile {
	sent := "…" // not counted yet
	if !c.At.IsZero() {
		sent = itoa(c.Periods[0].Sent)
	}
	return []tile{
		{"live conversations", "conversations?show=live", strconv.Itoa(sum.Live)},
		{"agents alive", "agents", strconv.Itoa(sum.Alive)},
		{"sent in the last hour", "figures", sent},
		{"unread messages", "conversations?show=unread", itoa(sum.Unread)},
		{"open tasks", "tasks", strconv.Itoa(len(sum.Tasks))},
	}
}

// agent is a session with its conversation.
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

func (s *Server) agents(r look) (content, error) {
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
