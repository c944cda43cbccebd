package cli

import "example.org/bridge/internal/bridge"

type jsonTask struct {
	TaskID     int64    `json:"task_id"`
	Team       string   `json:"team"`
	TeamID     string   `json:"team_id"`
	Home       string   `json:"home"`
	Title      string   `json:"title"`
	Body       string   `json:"body"`
	Needs      string   `json:"needs"`
	State      string   `json:"state"`
	Worker     *string  `json:"worker"`
	WorkerRole string   `json:"worker_role"`
	Note       string   `json:"note"`
	Redacted   []string `json:"redacted_kinds"`
	CreatedAt  jsonTime `json:"created_at"`
	AssignedAt jsonTime `json:"assigned_at"`
	UpdatedAt  jsonTime `json:"updated_at"`
	LeaseFrom  jsonTime `json:"lease_from"`
	Trust      string   `json:"trust"`
}

func viewTask(t bridge.Task) jsonTask {
	return jsonTask{
		TaskID:     t.ID,
		Team:       bridge.Clean(t.Team),
		TeamID:     t.TeamID,
		Home:       t.Home,
		Title:      bridge.Clean(t.Title),
		Body:       bridge.Clean(t.Body),
		Needs:      bridge.Clean(t.Needs),
		State:      string(t.State),
		Worker:     optional(t.Worker),
		WorkerRole: bridge.Clean(t.Role),
		Note:       bridge.Clean(t.Note),
		Redacted:   cleanAll(t.Redacted),
		CreatedAt:  jsonTime(t.CreatedAt),
		AssignedAt: jsonTime(t.AssignedAt),
		UpdatedAt:  jsonTime(t.UpdatedAt),
		LeaseFrom:  jsonTime(t.LeaseFrom()),
		Trust:      "untrusted",
	}
}

type jsonTaskEvent struct {
	At     jsonTime `json:"at"`
	Actor  string   `json:"actor"`
	Worker *string  `json:"worker"`
	State  string   `json:"state"`
	Note   string   `json:"note"`
}

func viewTaskHistory(history []bridge.TaskEvent) []jsonTaskEvent {
	views := make([]jsonTaskEvent, len(history))
	for i, e := range history {
		views[i] = jsonTaskEvent{jsonTime(e.At), e.Actor, optional(e.Worker), string(e.State), bridge.Clean(e.Note)}
	}
	return views
}

// optional is null in JSON for the empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
