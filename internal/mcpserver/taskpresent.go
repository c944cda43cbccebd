package mcpserver

import (
	"fmt"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// taskData is a task as the tools show it: cleaned. Its body and history come
// only with the one task that was asked for.
type taskData struct {
	TaskID    int64    `json:"task_id"`
	Title     string   `json:"title"`
	Body      string   `json:"body,omitempty"`
	Needs     string   `json:"needs"`
	State     string   `json:"state"`
	Worker    string   `json:"worker"`
	Role      string   `json:"worker_role"`
	Note      string   `json:"note"`
	Redacted  []string `json:"redacted_kinds"`
	CreatedAt string   `json:"created_at"`
	UpdatedAt string   `json:"updated_at"`
	// IdleSeconds is how old the last sign of life is that counts for the task;
	// null where nobody has it.
	IdleSeconds *int64      `json:"idle_seconds"`
	Trust       string      `json:"trust"`
	History     []eventData `json:"history,omitempty"`
	// Omitted counts the events in front of History that did not fit.
	Omitted int `json:"history_omitted,omitempty"`
}

type eventData struct {
	At     string `json:"at"`
	Actor  string `json:"actor"`
	Worker string `json:"worker"`
	State  string `json:"state"`
	Note   string `json:"note"`
}

func presentTask(t bridge.Task, now time.Time) taskData {
	data := taskData{
		TaskID:    t.ID,
		Title:     bridge.Clean(t.Title),
		Needs:     bridge.CleanLine(t.Needs),
		State:     string(t.State),
		Worker:    t.Worker,
		Role:      bridge.CleanLine(t.Role),
		Note:      bridge.Clean(t.Note),
		Redacted:  list(t.Redacted),
		CreatedAt: stamp(t.CreatedAt),
		UpdatedAt: stamp(t.UpdatedAt),
		Trust:     "untrusted",
	}
	if t.Worker != "" && !t.State.Ended() {
		idle := int64(max(now.Sub(t.LeaseFrom()), 0).Seconds())
		data.IdleSeconds = &idle
	}
	return data
}

func presentHistory(history []bridge.TaskEvent) []eventData {
	data := make([]eventData, len(history))
	for i, e := range history {
		data[i] = eventData{stamp(e.At), e.Actor, e.Worker, string(e.State), bridge.Clean(e.Note)}
	}
	return data
}

// writeTask writes a task as text. Each line that an agent wrote begins with "> ".
func writeTask(out *strings.Builder, d taskData) {
	fmt.Fprintf(out, "\n[task %d] %s", d.TaskID, d.State)
	if d.Worker != "" {
		fmt.Fprintf(out, ", worker %s, role %q", d.Worker, d.Role)
	}
	if d.Needs != "" {
		fmt.Fprintf(out, ", needs %q", d.Needs)
	}
	if d.IdleSeconds != nil {
		fmt.Fprintf(out, ", last sign of life %d seconds ago", *d.IdleSeconds)
	}
	fmt.Fprintf(out, ", updated %s", d.UpdatedAt)
	if len(d.Redacted) > 0 {
		fmt.Fprintf(out, ", redacted: %s", strings.Join(d.Redacted, ", "))
	}
	out.WriteString("\n" + bridge.Quote(d.Title) + "\n")
	if d.Body != "" {
		out.WriteString("Body:\n" + bridge.Quote(d.Body) + "\n")
	}
	if d.Note != "" && d.History == nil {
		out.WriteString("Last note:\n" + bridge.Quote(d.Note) + "\n")
	}
	if d.Omitted > 0 {
		fmt.Fprintf(out, "Earlier entries of its history, left out here: %d.\n", d.Omitted)
	}
	for _, e := range d.History {
		fmt.Fprintf(out, "%s %s %s", e.At, e.Actor, e.State)
		if e.Worker != "" {
			fmt.Fprintf(out, " (worker %s)", e.Worker)
		}
		out.WriteByte('\n')
		if e.Note != "" {
			out.WriteString(bridge.Quote(e.Note) + "\n")
		}
	}
}
