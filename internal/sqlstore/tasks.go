package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

// TaskEntry is an Entry that may change tasks. The store prevents other changes of the
// team's tasks until the transaction ends.
type TaskEntry interface {
	Entry
	// NextTask returns the id for a new task.
	NextTask() (int64, error)
	// Workers returns the workers of a team.
	Workers(teamID string) ([]tasks.Worker, error)
	// Many reports whether the conversation has more than two sessions.
	Many() bool
	// Tell delivers messages of the bridge itself and returns those that it delivered.
	Tell(notices []tasks.Notice) ([]tasks.Notice, error)
}

// CreateTask is the call of g that creates a task.
func CreateTask(e TaskEntry, g bridge.Gate, key string, rule tasks.Rule) (result tasks.Result, err error) {
	result.Unread = e.Inbox().Waiting(g.Now)
	scene, err := newTaskScene(e, g, key)
	if err != nil {
		return result, err
	}
	change := rule(scene)
	if err := e.Charge(change.Charges); err != nil {
		return result, err
	}
	if err := change.Refusal(); err != nil {
		return result, err
	}
	result.Change = change
	details := e.Op().Details
	if change.Repeated {
		details["task_id"], details["repeated"] = change.Task.ID, true
		return result, nil
	}
	if err := insertTask(e.SQL(), change.Task, key); err != nil {
		return result, err
	}
	err = apply(e, &result.Change)
	return result, err
}

// ChangeTask is the call of g that reports on a task.
func ChangeTask(e TaskEntry, g bridge.Gate, id int64, rule tasks.Rule) (result tasks.Result, err error) {
	result.Unread = e.Inbox().Waiting(g.Now)
	if err := e.Charge(g.Charges); err != nil {
		return result, err
	}
	if err := Beat(e, g); err != nil {
		return result, err
	}
	scene, err := taskScene(e, g, id)
	if err != nil {
		return result, err
	}
	result.Change = rule(scene)
	if err := result.Refusal(); err != nil {
		return result, err
	}
	if result.Repeated {
		e.Op().Details["repeated"] = true
		return result, nil
	}
	err = apply(e, &result.Change)
	return result, err
}

// MoveTask assigns a task to another worker. The error is ErrNothing if rule decides
// otherwise.
func MoveTask(e TaskEntry, task tasks.Task, rule tasks.Rule) (change tasks.Change, err error) {
	scene := tasks.Scene{Task: task, TeamID: task.TeamID}
	if scene.Workers, err = e.Workers(task.TeamID); err != nil {
		return change, err
	}
	if change = rule(scene); change.Event.State == "" {
		return change, ErrNothing
	}
	e.Op().Details["from"] = change.From
	err = apply(e, &change)
	return change, err
}

// apply stores what a rule decided. Notices to conversations that have expired are not
// sent and are removed from the change.
func apply(e TaskEntry, change *tasks.Change) error {
	t, v := change.Task, change.Event
	c, op := e.SQL(), e.Op()
	cipher, err := c.Cipher()
	if err != nil {
		return err
	}
	// If the event has no note, the task's note is kept as stored, since it may be one
	// that does not open.
	err = errors.Join(
		c.Later(`
			UPDATE tasks SET state = ?1, worker = ?2, role = ?3, last_worker = ?4, note = CASE WHEN ?5 = '' THEN note ELSE ?5 END, events = ?6,
			       assigned_at = ?7, updated_at = ?8, ended_at = ?9
			WHERE id = ?10`,
			string(t.State), t.Worker, t.Role, t.LastWorker, cipher.Text(taskPlace("note", t.TeamID, t.ID), v.Note), t.Events, t.AssignedAt, t.UpdatedAt, t.EndedAt(), t.ID),
		c.Later("INSERT INTO task_events (task, at, actor, worker, state, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			t.ID, op.Now, v.Actor, v.Worker, string(v.State), cipher.Text(eventPlace(t.ID, op.Now, v.Actor, v.Worker, string(v.State)), v.Note)),
	)
	if err != nil {
		return err
	}
	op.Details["task_id"], op.Details["state"] = t.ID, string(t.State)
	if t.Worker != "" {
		op.Details["worker"] = t.Worker
	}
	change.Notices, err = e.Tell(change.Notices)
	return err
}

// Tell calls deliver with each notice whose conversation still accepts messages, and
// returns those notices.
func Tell(c Conn, notices []tasks.Notice, now time.Time, deliver func(tasks.Notice) error) (told []tasks.Notice, err error) {
	for _, n := range notices {
		to, err := conversation(c, n.Conversation)
		if err != nil {
			return told, err
		}
		if to.Expired(now) {
			continue
		}
		if err := deliver(n); err != nil {
			return told, err
		}
		told = append(told, n)
	}
	return told, nil
}

func insertTask(c Conn, t tasks.Task, key string) error {
	cipher, err := c.Cipher()
	if err != nil {
		return err
	}
	return c.Later(`
		INSERT INTO tasks (id, team, team_id, home, title, body, needs, redacted, state, worker, role, last_worker, note, events,
		                   created_at, assigned_at, updated_at, idempotency_key)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, '', 0, ?13, ?14, ?15, ?16)`,
		t.ID, t.Team, t.TeamID, t.Home, cipher.Text(taskPlace("title", t.TeamID, t.ID), t.Title), cipher.Text(taskPlace("body", t.TeamID, t.ID), t.Body),
		cipher.Text(taskPlace("needs", t.TeamID, t.ID), t.Needs), List(t.Redacted), string(t.State), t.Worker, t.Role, t.LastWorker,
		t.CreatedAt, t.AssignedAt, t.UpdatedAt, OrNull(key))
}
