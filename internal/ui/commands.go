package ui

import (
	"net/http"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/view"
)

// request is a command that an agent asked to run. Text written by the agent is escaped, so
// that the operator sees exactly what would run.
type request struct {
	ID                      int64
	ConversationID, Session string
	Command, State          string
	Mode, Workspace         string
	Asked, Expires          view.Time
	Waiting, Deniable       bool
}

func requestOf(r commands.Request, now time.Time) request {
	return request{
		ID: r.ID, ConversationID: r.Conversation, Session: string(r.Session), Command: cleantext.Escape(r.Command),
		State: r.Status(now), Mode: string(r.Mode), Workspace: cleantext.Field(r.Workspace), Asked: view.Time(r.CreatedAt),
		Expires: view.Time(r.ExpiresAt), Waiting: r.Waiting(now), Deniable: r.Waiting(now) || r.Usable(now),
	}
}

// commands shows the commands that agents asked to run, newest first, or a single one, and
// the permissions that are open.
func (s *Server) commands(r look) (content, error) {
	only := number(r.FormValue("request"))
	all, err := s.Commands.Commands(r.Context(), commands.Query{ID: only})
	if err != nil {
		return content{}, err
	}
	grants, err := s.Commands.Grants(r.Context())
	if err != nil {
		return content{}, err
	}
	now := s.Now()
	data := struct {
		Only       int64
		Requests   []request
		Pager      pager
		Grants     []grant
		MoreGrants int
	}{Only: only}
	part, p := paged(r, all, "commands")
	data.Pager = p
	for _, one := range part {
		data.Requests = append(data.Requests, requestOf(one, now))
	}
	some, more := few(r, grants)
	data.MoreGrants = more
	for _, g := range some {
		data.Grants = append(data.Grants, grant{g.Conversation, string(g.Ceiling), cleantext.Field(g.Workspace), view.Time(g.ExpiresAt), g.Unsandboxed()})
	}
	return content{"commands", "Commands", data}, nil
}

// grant is a permission that the operator opened for a conversation.
type grant struct {
	ConversationID, Mode, Workspace string
	Expires                         view.Time
	Unsandboxed                     bool
}

// deny denies a command, or withdraws an approval that has not been used.
func (s *Server) deny(r *http.Request) (string, error) {
	id := number(r.PathValue("id"))
	if id == 0 {
		return "", bridge.ErrNotFound
	}
	one, err := s.Commands.Command(r.Context(), id)
	if err != nil {
		return "", err
	}
	return "commands", s.Commands.Deny(r.Context(), one, "page")
}
