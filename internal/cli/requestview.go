package cli

import (
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/view"
)

// jsonRequest is a request in JSON output.
type jsonRequest struct {
	Request        int64     `json:"request"`
	ConversationID string    `json:"conversation_id"`
	SessionID      string    `json:"session_id"`
	Status         string    `json:"status"`
	Command        string    `json:"command"`
	Runs           []string  `json:"runs"`
	Mode           string    `json:"mode"`
	Workspace      string    `json:"workspace"`
	Sandbox        string    `json:"sandbox"`
	Network        bool      `json:"network"`
	Tools          []string  `json:"tools"`
	Domains        []string  `json:"domains"`
	EnvFiles       bool      `json:"env_files"`
	TimeoutSeconds int       `json:"timeout_seconds"`
	CreatedAt      view.Time `json:"created_at"`
	ExpiresAt      view.Time `json:"expires_at"`
	DecidedAt      view.Time `json:"decided_at"`
	UsedAt         view.Time `json:"used_at"`
	EndedAt        view.Time `json:"ended_at"`
	ExitCode       *int64    `json:"exit_code"`
	Snapshot       int64     `json:"snapshot"`
}

func viewRequests(requests []commands.Request, now time.Time) []jsonRequest {
	views := make([]jsonRequest, len(requests))
	for i, r := range requests {
		views[i] = jsonRequest{
			Request: r.ID, ConversationID: r.Conversation, SessionID: string(r.Session), Status: r.Status(now),
			Command: cleantext.Clean(r.Command), Runs: r.DescribePlan(), Mode: string(r.Mode), Workspace: cleantext.Clean(r.Workspace),
			Sandbox: string(r.Sandbox), Network: r.Network,
			Tools: toolPaths(r.Access), Domains: emptyList(r.Access.Domains), EnvFiles: r.Access.EnvFiles, TimeoutSeconds: int(r.Timeout.Seconds()),
			CreatedAt: view.Time(r.CreatedAt), ExpiresAt: view.Time(r.ExpiresAt), DecidedAt: view.Time(r.DecidedAt),
			UsedAt: view.Time(r.UsedAt), EndedAt: view.Time(r.EndedAt), Snapshot: r.SnapshotNumber,
		}
		if !r.EndedAt.IsZero() {
			views[i].ExitCode = &r.ExitCode
		}
	}
	return views
}
