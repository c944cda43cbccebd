package stress

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/sleep"
)

// assignAll assigns a coordinator's share of the tasks, in parallel with its messages.
func (s *session) assignAll(ctx context.Context) error {
	if s.Session != bridge.SessionA {
		return nil
	}
	for n := s.number / 2; n < s.Tasks; n += s.Conversations {
		if err := sleep.For(ctx, time.Until(s.begin.Add(s.Settings.spread(n, s.Tasks)))); err != nil {
			return err
		}
		var assigned struct {
			Task int64 `json:"task_id"`
		}
		args := map[string]any{"title": fmt.Sprintf("Chore %d", n), "idempotency_key": "task " + strconv.Itoa(n)}
		if _, _, err := s.ask(ctx, "assign_task", args, &assigned); err != nil {
			return err
		}
		s.note(func(l *ledger) { l.task(assigned.Task) })
	}
	return nil
}

// workAll works on the tasks that this session is told about.
func (s *session) workAll(ctx context.Context) error {
	for task := range s.given {
		for _, state := range []string{"accepted", "progress", "done"} {
			if err := s.reportTask(ctx, task, state); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) reportTask(ctx context.Context, task int64, state string) error {
	var data struct {
		Applied  bool `json:"applied"`
		Repeated bool `json:"repeated"`
	}
	_, again, err := s.ask(ctx, "update_task", map[string]any{"task_id": task, "state": state, "note": "chore"}, &data)
	if refusal := new(rig.Refusal); errors.As(err, &refusal) && again {
		return nil // the interrupted call had done it
	}
	if err != nil {
		return err
	}
	s.note(func(l *ledger) {
		t := l.task(task)
		if data.Applied {
			t.Workers[s.inbox.Name] = true
		}
		if state == "done" && (data.Applied || data.Repeated) {
			t.Ended++
			l.ended++
		}
	})
	return nil
}

// listTasks asks each coordinator for the state of its tasks.
func (r *run) listTasks(ctx context.Context) error {
	for _, s := range r.sessions {
		if s.Session != bridge.SessionA {
			continue
		}
		if err := s.listTasks(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) listTasks(ctx context.Context) error {
	args := map[string]any{"ended": true}
	for {
		var page struct {
			Tasks []struct {
				Task  int64  `json:"task_id"`
				State string `json:"state"`
			} `json:"tasks"`
			More bool `json:"has_more"`
		}
		if _, _, err := s.ask(ctx, "list_tasks", args, &page); err != nil {
			return err
		}
		s.note(func(l *ledger) {
			for _, t := range page.Tasks {
				l.task(t.Task).State = t.State
			}
		})
		if !page.More || len(page.Tasks) == 0 {
			return nil
		}
		args["after"] = page.Tasks[len(page.Tasks)-1].Task
	}
}
