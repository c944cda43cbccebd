package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

// CreateTask implements tasks.Store.
func (s *Store) CreateTask(ctx context.Context, g bridge.Gate, key string, rule tasks.Rule) (result tasks.Result, err error) {
	err = s.passIn(ctx, g, durable, team, func(e *entry) error {
		result = tasks.Result{Unread: e.self.Waiting(g.Now)}
		scene, err := e.newTaskScene(g, key)
		if err != nil {
			return err
		}
		change := rule(scene)
		if err := e.charge(change.Charges); err != nil {
			return err
		}
		if err := change.Refusal(); err != nil {
			return err
		}
		result.Change = change
		if change.Repeated {
			e.op.Details["task_id"], e.op.Details["repeated"] = change.Task.ID, true
			return nil
		}
		e.insertTask(change.Task, key)
		return e.apply(&result.Change)
	})
	return result, err
}

// repeatedTask returns the task of an idempotency key as it was first answered;
// one with ID 0 if there is none.
func (e *entry) repeatedTask(key string) (tasks.Task, error) {
	if key == "" {
		return tasks.Task{}, nil
	}
	var id int64
	err := e.get("SELECT id FROM tasks WHERE home = $1 AND idempotency_key = $2", []any{e.op.Conversation, key}, &id)
	if errors.Is(err, errNoRow) {
		return tasks.Task{}, nil
	}
	if err != nil {
		return tasks.Task{}, err
	}
	t, err := getTask(e.conn, id)
	if err != nil {
		return t, err
	}
	var first tasks.Event
	var state, role string
	err = e.get(`
		SELECT v.worker, v.state, coalesce(b.role, '') FROM task_events v LEFT JOIN session_status b ON `+isWorker("v.worker")+`
		WHERE v.task = $1 ORDER BY v.id LIMIT 1`, []any{id}, &first.Worker, &state, &role)
	first.State = tasks.State(state)
	return t.AsFirst(first, role), err
}

// newTaskScene is what decides about a task that is yet to be made.
func (e *entry) newTaskScene(g bridge.Gate, key string) (s tasks.Scene, err error) {
	first, err := e.repeatedTask(key)
	if err != nil || first.ID != 0 {
		return tasks.Scene{First: first}, err
	}
	if s, err = e.callerScene(g); err != nil {
		return s, err
	}
	if err = e.get("SELECT nextval(pg_get_serial_sequence('tasks', 'id'))", nil, &s.Task.ID); err != nil {
		return s, err
	}
	if err = e.get("SELECT count(*) FROM tasks WHERE team_id = $1 AND ended_at = 0", []any{s.TeamID}, &s.Open); err != nil {
		return s, err
	}
	if s.Workers, err = teamWorkers(e.conn, s.TeamID, e.now); err != nil || !e.many() {
		return s, err
	}
	s.Roster, err = sqlstore.Roster(e.sql(), g.Conversation)
	return s, err
}

func (e *entry) callerScene(g bridge.Gate) (tasks.Scene, error) {
	s := tasks.Scene{Conversation: g.Conversation, Session: g.Session}
	err := e.get("SELECT team, team_id FROM conversations WHERE id = $1", []any{g.Conversation}, &s.Team, &s.TeamID)
	return s, err
}

// ChangeTask implements tasks.Store.
func (s *Store) ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule tasks.Rule) (result tasks.Result, err error) {
	err = s.passIn(ctx, g, durable, team, func(e *entry) error {
		result = tasks.Result{Unread: e.self.Waiting(g.Now)}
		if err := e.chargeCall(); err != nil {
			return err
		}
		if err := e.beat(g); err != nil {
			return err
		}
		scene, err := e.taskScene(g, id)
		if err != nil {
			return err
		}
		result.Change = rule(scene)
		if err := result.Refusal(); err != nil {
			return err
		}
		if result.Repeated {
			e.op.Details["repeated"] = true
			return nil
		}
		return e.apply(&result.Change)
	})
	return result, err
}

// taskScene is what decides about a task that a session reports on.
func (e *entry) taskScene(g bridge.Gate, id int64) (s tasks.Scene, err error) {
	if s, err = e.callerScene(g); err != nil {
		return s, err
	}
	s.Task, err = getTask(e.conn, id)
	if errors.Is(err, errNoRow) {
		s.Task = tasks.Task{}
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := e.loadPast(&s); err != nil {
		return s, err
	}
	s.Workers, err = teamWorkers(e.conn, s.Task.TeamID, e.now)
	return s, err
}

// loadPast reads what the history of the task says of the caller, and its end.
func (e *entry) loadPast(s *tasks.Scene) error {
	var had, late int64
	err := e.get(`
		SELECT count(*), count(*) FILTER (WHERE state = 'late') FROM task_events WHERE task = $1 AND worker = $2`,
		[]any{s.Task.ID, s.Caller()}, &had, &late)
	if err != nil {
		return err
	}
	s.Had, s.Late = had > 0, late > 0
	var state string
	err = e.get("SELECT actor, worker, state, note FROM task_events WHERE task = $1 ORDER BY id DESC LIMIT 1",
		[]any{s.Task.ID}, &s.Last.Actor, &s.Last.Worker, &state, &s.Last.Note)
	s.Last.State = tasks.State(state)
	return err
}

// MoveTask implements tasks.Store.
func (s *Store) MoveTask(ctx context.Context, op bridge.Operation, id int64, rule tasks.Rule) (change tasks.Change, err error) {
	err = s.commit(ctx, op, durable, func(e *entry) error {
		change = tasks.Change{}
		task, err := getTask(e.conn, id) // a task never changes its team
		if errors.Is(err, errNoRow) {
			return errNothing
		}
		if err != nil {
			return err
		}
		e.lock(s.schema, "team", task.TeamID)
		if err := e.hold(op.Conversation, alone); err != nil {
			return err
		}
		if err := e.loadState(); err != nil {
			return err
		}
		if task, err = getTask(e.conn, id); err != nil {
			return err
		}
		scene := tasks.Scene{Task: task, TeamID: task.TeamID}
		if scene.Workers, err = teamWorkers(e.conn, task.TeamID, e.now); err != nil {
			return err
		}
		if change = rule(scene); change.Event.State == "" {
			return errNothing
		}
		e.op.Details["from"] = change.From
		return e.apply(&change)
	})
	if errors.Is(err, errNothing) {
		return tasks.Change{}, nil
	}
	return change, err
}

// apply keeps what a rule decided. Notices to conversations that have expired
// are left out, and removed from the change.
func (e *entry) apply(change *tasks.Change) (err error) {
	t, v := change.Task, change.Event
	e.later(`
		UPDATE tasks SET state = $1, worker = $2, role = $3, last_worker = $4, note = $5, events = $6,
		       assigned_at = $7, updated_at = $8, ended_at = $9
		WHERE id = $10`,
		string(t.State), t.Worker, t.Role, t.LastWorker, t.Note, t.Events, t.AssignedAt, t.UpdatedAt, t.EndedAt(), t.ID)
	e.later("INSERT INTO task_events (task, at, actor, worker, state, note) VALUES ($1, $2, $3, $4, $5, $6)",
		t.ID, e.op.Now, v.Actor, v.Worker, string(v.State), v.Note)
	e.op.Details["task_id"], e.op.Details["state"] = t.ID, string(t.State)
	if t.Worker != "" {
		e.op.Details["worker"] = t.Worker
	}
	change.Notices, err = e.tell(change.Notices)
	return err
}

// tell stores messages of the bridge's own, and returns those whose conversation
// takes any. The team must be locked.
func (e *entry) tell(notices []tasks.Notice) (told []tasks.Notice, err error) {
	e.holdAll(notices)
	for _, n := range notices {
		var c bridge.Conversation
		err := e.get("SELECT expires_at FROM conversations WHERE id = $1", []any{n.Conversation}, &c.ExpiresAt)
		if err != nil && !errors.Is(err, errNoRow) {
			return told, err
		}
		if c.Expired(e.now) {
			continue
		}
		to := mail{conversation: n.Conversation, from: bridge.System, to: bridge.Recipients{n.To}}
		if _, err := e.deliver(to, bridge.NewMessage{Action: n.Action, Text: n.Text}); err != nil {
			return told, err
		}
		told = append(told, n)
	}
	return told, nil
}

// holdAll locks the conversations of notices, in order of id.
func (e *entry) holdAll(notices []tasks.Notice) {
	ordered := slices.SortedFunc(slices.Values(notices), func(a, b tasks.Notice) int { return strings.Compare(a.Conversation, b.Conversation) })
	for _, n := range ordered {
		if n.Conversation != e.held {
			holdAnother(e.conn, n.Conversation)
		}
	}
}

func (e *entry) insertTask(t tasks.Task, key string) {
	e.later(`
		INSERT INTO tasks (id, team, team_id, home, title, body, needs, redacted, state, worker, role, last_worker, note, events,
		                   created_at, assigned_at, updated_at, idempotency_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0, $13, $14, $15, $16)`,
		t.ID, t.Team, t.TeamID, t.Home, t.Title, t.Body, t.Needs, sqlstore.List(t.Redacted), string(t.State), t.Worker, t.Role, t.LastWorker,
		t.CreatedAt, t.AssignedAt, t.UpdatedAt, unlessEmpty(key))
}
