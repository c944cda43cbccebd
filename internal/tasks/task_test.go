package tasks_test

import (
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

func TestHeldBy(t *testing.T) {
	task := tasks.Task{ID: 1, TeamID: "team_1", State: tasks.Running, Worker: "conv_1/c"}
	ended, none := task, task
	ended.State, none.ID = tasks.Done, 0
	for _, tt := range []struct {
		name     string
		task     tasks.Task
		team, of string
		session  bridge.SessionID
		want     bool
	}{
		{"its worker's", task, "team_1", "conv_1", "c", true},
		{"not of another session", task, "team_1", "conv_1", "b", false},
		{"not of another conversation", task, "team_1", "conv_2", "c", false},
		{"the orchestrator's", task, "team_1", "conv_2", "a", true},
		{"not another team's", task, "team_2", "conv_1", "a", false},
		{"over", ended, "team_1", "conv_1", "c", false},
		{"unknown", none, "team_1", "conv_1", "a", false},
	} {
		if got := tt.task.HeldBy(tt.team, tt.of, tt.session); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

// TestAsFirst checks that a repeated call returns the first result, whatever has
// happened to the task since.
func TestAsFirst(t *testing.T) {
	task := tasks.Task{ID: 1, State: tasks.Done, Worker: "conv_2", Role: "tester", Title: "Write"}
	got := task.AsFirst(tasks.Event{Worker: "conv_1", State: tasks.Assigned}, "coder")
	if got.State != tasks.Assigned || got.Worker != "conv_1" || got.Role != "coder" || got.Title != "Write" {
		t.Errorf("got %+v", got)
	}
}
