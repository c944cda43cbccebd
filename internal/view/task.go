package view

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/tasks"
)

// Task is a task of a team. Fields that an agent does not need for its work are
// set for the operator only.
type Task struct {
	TaskID        int64    `json:"task_id"`
	Team          string   `json:"team,omitempty"`
	TeamID        string   `json:"team_id,omitempty"`
	Home          string   `json:"home,omitempty"`
	Title         string   `json:"title"`
	Body          string   `json:"body,omitempty"`
	Needs         string   `json:"needs"`
	State         string   `json:"state"`
	Worker        *string  `json:"worker"`
	WorkerRole    string   `json:"worker_role"`
	Note          string   `json:"note"`
	RedactedKinds []string `json:"redacted_kinds"`
	CreatedAt     Time     `json:"created_at"`
	AssignedAt    Time     `json:"assigned_at,omitzero"`
	UpdatedAt     Time     `json:"updated_at"`
	LeaseFrom     Time     `json:"lease_from,omitzero"`
	// IdleSeconds is the age of the last sign of life that counts for the task;
	// null if it has no worker.
	IdleSeconds *int64      `json:"idle_seconds"`
	Trust       string      `json:"trust"`
	History     []TaskEvent `json:"history,omitempty"`
	// Omitted counts the events before History that did not fit.
	Omitted int `json:"history_omitted,omitempty"`
}

// TaskEvent is one change of a task.
type TaskEvent struct {
	At     Time    `json:"at"`
	Actor  string  `json:"actor"`
	Worker *string `json:"worker"`
	State  string  `json:"state"`
	Note   string  `json:"note"`
}

// OfTask returns the view of t for an agent in a list, without its body.
func OfTask(t tasks.Task, now time.Time) Task {
	v := Task{
		TaskID:        t.ID,
		Title:         cleantext.Clean(t.Title),
		Needs:         cleantext.CleanLine(t.Needs),
		State:         string(t.State),
		Worker:        Optional(t.Worker),
		WorkerRole:    cleantext.CleanLine(t.Role),
		Note:          cleantext.Clean(t.Note),
		RedactedKinds: Kinds(t.Redacted),
		CreatedAt:     Time(t.CreatedAt),
		UpdatedAt:     Time(t.UpdatedAt),
		Trust:         untrusted,
	}
	if t.Worker != "" && !t.State.Ended() {
		idle := int64(max(now.Sub(t.LeaseFrom()), 0).Seconds())
		v.IdleSeconds = &idle
	}
	return v
}

// TaskOf returns the complete view of t for the operator.
func TaskOf(t tasks.Task, now time.Time) Task {
	v := OfTask(t, now)
	v.Team, v.TeamID, v.Home = cleantext.Clean(t.Team), t.TeamID, t.Home
	v.Body, v.AssignedAt, v.LeaseFrom = cleantext.Clean(t.Body), Time(t.AssignedAt), Time(t.LeaseFrom())
	return v
}

// OfHistory returns the view of a task's history.
func OfHistory(history []tasks.Event) []TaskEvent {
	events := make([]TaskEvent, len(history))
	for i, e := range history {
		events[i] = TaskEvent{Time(e.At), e.Actor, Optional(e.Worker), string(e.State), cleantext.Clean(e.Note)}
	}
	return events
}

// WriteTask writes a task as text for an agent. Each line that an agent wrote begins with
// "> ".
func WriteTask(out *strings.Builder, d Task) {
	fmt.Fprintf(out, "\n[task %d] %s", d.TaskID, d.State)
	if d.Worker != nil {
		fmt.Fprintf(out, ", worker %s, role %q", *d.Worker, d.WorkerRole)
	}
	if d.Needs != "" {
		fmt.Fprintf(out, ", needs %q", d.Needs)
	}
	if d.IdleSeconds != nil {
		fmt.Fprintf(out, ", last sign of life %d seconds ago", *d.IdleSeconds)
	}
	fmt.Fprintf(out, ", updated %s", Stamp(time.Time(d.UpdatedAt)))
	if len(d.RedactedKinds) > 0 {
		fmt.Fprintf(out, ", redacted: %s", strings.Join(d.RedactedKinds, ", "))
	}
	out.WriteString("\n" + cleantext.Quote(d.Title) + "\n")
	if d.Body != "" {
		out.WriteString("Body:\n" + cleantext.Quote(d.Body) + "\n")
	}
	if d.Note != "" && d.History == nil {
		out.WriteString("Last note:\n" + cleantext.Quote(d.Note) + "\n")
	}
	if d.Omitted > 0 {
		fmt.Fprintf(out, "Earlier entries of its history, left out here: %d.\n", d.Omitted)
	}
	for _, e := range d.History {
		fmt.Fprintf(out, "%s %s %s", Stamp(time.Time(e.At)), e.Actor, e.State)
		if e.Worker != nil {
			fmt.Fprintf(out, " (worker %s)", *e.Worker)
		}
		out.WriteByte('\n')
		if e.Note != "" {
			out.WriteString(cleantext.Quote(e.Note) + "\n")
		}
	}
}
