package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

// newTaskScene returns the data on which the creation of a task is decided.
func newTaskScene(e TaskEntry, g bridge.Gate, key string) (s tasks.Scene, err error) {
	c := e.SQL()
	first, err := repeatedTask(c, e.Op().Conversation, key)
	if err != nil || first.ID != 0 {
		return tasks.Scene{First: first}, err
	}
	if s, err = callerScene(c, g); err != nil {
		return s, err
	}
	if s.Task.ID, err = e.NextTask(); err != nil {
		return s, err
	}
	if err = c.Get("SELECT count(*) FROM tasks WHERE team_id = ?1 AND ended_at = 0", []any{s.TeamID}, &s.Open); err != nil {
		return s, err
	}
	if s.Workers, err = e.Workers(s.TeamID); err != nil || !e.Many() {
		return s, err
	}
	s.Roster, err = Roster(c, g.Conversation)
	return s, err
}

// repeatedTask returns the task of an idempotency key as it was first returned, or one
// with ID 0 if there is none.
func repeatedTask(c Conn, home, key string) (tasks.Task, error) {
	if key == "" {
		return tasks.Task{}, nil
	}
	var id int64
	err := c.Get("SELECT id FROM tasks WHERE home = ?1 AND idempotency_key = ?2", []any{home, key}, &id)
	if errors.Is(err, ErrNoRow) {
		return tasks.Task{}, nil
	}
	if err != nil {
		return tasks.Task{}, err
	}
	t, err := GetTask(c, id)
	if err != nil {
		return t, err
	}
	var first tasks.Event
	var state, role string
	err = c.Get(`
		SELECT v.worker, v.state, coalesce(b.role, '') FROM task_events v LEFT JOIN session_status b ON `+isWorker("v.worker")+`
		WHERE v.task = ?1 ORDER BY v.id LIMIT 1`, []any{id}, &first.Worker, &state, &role)
	first.State = tasks.State(state)
	return t.AsFirst(first, role), err
}

func callerScene(c Conn, g bridge.Gate) (tasks.Scene, error) {
	return sessionScene(c, g.Conversation, g.Session)
}

// sessionScene is callerScene for a session that is not calling.
func sessionScene(c Conn, conversation string, session bridge.SessionID) (tasks.Scene, error) {
	s := tasks.Scene{Conversation: conversation, Session: session}
	err := c.Get("SELECT team, team_id FROM conversations WHERE id = ?1", []any{conversation}, &s.Team, &s.TeamID)
	return s, err
}

// taskScene returns the data on which a session's report on a task is decided.
func taskScene(e TaskEntry, g bridge.Gate, id int64) (s tasks.Scene, err error) {
	c := e.SQL()
	if s, err = callerScene(c, g); err != nil {
		return s, err
	}
	s.Task, err = GetTask(c, id)
	if errors.Is(err, ErrNoRow) {
		s.Task = tasks.Task{}
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := loadPast(c, &s); err != nil {
		return s, err
	}
	s.Workers, err = e.Workers(s.Task.TeamID)
	return s, err
}

// loadPast reads what the history of the task says about the caller, and how it ends.
func loadPast(c Conn, s *tasks.Scene) error {
	var had, late int64
	err := c.Get(`
		SELECT count(*), count(*) FILTER (WHERE state = 'late') FROM task_events WHERE task = ?1 AND worker = ?2`,
		[]any{s.Task.ID, s.Caller()}, &had, &late)
	if err != nil {
		return err
	}
	s.Had, s.Late = had > 0, late > 0
	var state string
	var at time.Time
	err = c.Get("SELECT at, actor, worker, state, note FROM task_events WHERE task = ?1 ORDER BY id DESC LIMIT 1",
		[]any{s.Task.ID}, &at, &s.Last.Actor, &s.Last.Worker, &state, &s.Last.Note)
	s.Last.State = tasks.State(state)
	s.Last.Note = Shown(c, eventPlace(s.Task.ID, at, s.Last.Actor, s.Last.Worker, state), s.Last.Note)
	return err
}
