package ui

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/tasks"
	"example.org/bridge/internal/view"
)

// overview is the first page: what waits for the operator, and how things stand.
func (s *Server) overview(r *http.Request) (content, error) {
	all, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return content{}, err
	}
	requests, err := s.Commands.Commands(r.Context(), commands.Query{State: commands.StatePending})
	if err != nil {
		return content{}, err
	}
	open, err := s.Tasks.Tasks(r.Context(), true)
	if err != nil {
		return content{}, err
	}
	now := s.Now()
	data := struct {
		Requests []request
		Stuck    []agent
		Tasks    []view.Task
		Tiles    []tile
		Verified verdict
	}{Requests: waitingRequests(requests, now), Verified: s.verdict()}
	roster := agentsOf(all, now)
	for _, a := range roster {
		if a.Stuck() {
			data.Stuck = append(data.Stuck, a)
		}
	}
	for _, t := range open {
		if t.State == tasks.Waiting {
			data.Tasks = append(data.Tasks, view.TaskOf(t, now))
		}
	}
	data.Tiles, err = s.tiles(r, all, roster, open)
	return content{"overview", "Overview", data}, err
}

// tile is one figure of the first page.
type tile struct {
	Name, Path string
	Value      int64
}

func (s *Server) tiles(r *http.Request, all []bridge.Overview, roster []agent, open []tasks.Task) ([]tile, error) {
	now := s.Now()
	hour, err := s.Bridge.CountMessages(r.Context(), now.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	var live, alive, unread, sent int64
	for _, c := range all {
		if !c.Expired(now) {
			live++
			unread += c.Sessions.Unread()
		}
	}
	for _, a := range roster {
		if a.Alive {
			alive++
		}
	}
	for _, n := range hour.BySender {
		sent += n
	}
	return []tile{
		{"live conversations", "conversations?show=live", live},
		{"agents alive", "agents", alive},
		{"sent in the last hour", "figures", sent},
		{"unread messages", "conversations?show=unread", unread},
		{"open tasks", "tasks", int64(len(open))},
	}, nil
}

// agent is a session, with its conversation.
type agent struct {
	view.Session
	ConversationID, Team string
	Paused               bool
}

// Stuck reports an agent that somebody should look at: it says so, or mail waits and
// nobody reads it.
func (a agent) Stuck() bool {
	return a.Joined && !a.Paused && (a.Status == string(bridge.StatusBlocked) || !a.Alive && a.Unread > 0 && a.Status != string(bridge.StatusComplete))
}

// agentsOf are the sessions of the conversations that have not expired: those that are
// stuck first, then those seen last.
func agentsOf(all []bridge.Overview, now time.Time) (roster []agent) {
	for _, c := range all {
		if c.Expired(now) {
			continue
		}
		v := view.OfConversation(c, now)
		for _, session := range v.Sessions {
			roster = append(roster, agent{session, v.ConversationID, v.Team, v.Paused})
		}
	}
	slices.SortStableFunc(roster, func(a, b agent) int {
		if a.Stuck() != b.Stuck() {
			return cmp.Compare(rank(a), rank(b))
		}
		return time.Time(b.LastHeartbeat).Compare(time.Time(a.LastHeartbeat))
	})
	return roster
}

func rank(a agent) int {
	if a.Stuck() {
		return 0
	}
	return 1
}

func (s *Server) agents(r *http.Request) (content, error) {
	all, err := s.Bridge.Conversations(r.Context())
	if err != nil {
		return content{}, err
	}
	roster, p := paged(r, agentsOf(all, s.Now()), "agents")
	return content{"agents", "Agents", struct {
		Agents []agent
		Pager  pager
	}{roster, p}}, nil
}
