package sqlstore

import (
	"errors"
	"math"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

var selectTask = `
	SELECT t.id, t.team, t.team_id, t.home, t.title, t.body, t.needs, t.redacted, t.state, t.worker, t.role, t.last_worker,
	       t.note, t.events, t.created_at, t.assigned_at, t.updated_at, b.seen_at
	FROM tasks t LEFT JOIN session_status b ON ` + isWorker("t.worker") + ` `

// isWorker is the condition that a column with a worker's name (tasks.WorkerName) names
// the session b. The name is the conversation's id, of 21 characters, followed in some
// cases by a slash and the session's letter.
func isWorker(column string) string {
	return "b.conversation = substr(" + column + ", 1, 21) AND b.session = CASE WHEN length(" + column + ") > 22 THEN substr(" + column + ", 23) ELSE 'b' END"
}

// taskRow is the destination for a row of selectTask.
type taskRow struct {
	tasks.Task
	redacted, state string
}

func (r *taskRow) dest() []any {
	return []any{
		&r.ID, &r.Team, &r.TeamID, &r.Home, &r.Title, &r.Body, &r.Needs, &r.redacted, &r.state, &r.Worker, &r.Role, &r.LastWorker,
		&r.Note, &r.Events, &r.CreatedAt, &r.AssignedAt, &r.UpdatedAt, &r.SeenAt,
	}
}

func (r *taskRow) task(c Conn) tasks.Task {
	t := r.Task
	t.Title = Shown(c, taskPlace("title", t.TeamID, t.ID), t.Title)
	t.Body = Shown(c, taskPlace("body", t.TeamID, t.ID), t.Body)
	t.Needs = Shown(c, taskPlace("needs", t.TeamID, t.ID), t.Needs)
	t.Note = Shown(c, taskPlace("note", t.TeamID, t.ID), t.Note)
	t.State, t.Redacted = tasks.State(r.state), FromList(r.redacted)
	return t
}

// GetTask returns one task. The error may be ErrNoRow.
func GetTask(c Conn, id int64) (tasks.Task, error) {
	var row taskRow
	err := c.Get(selectTask+"WHERE t.id = ?1", []any{id}, row.dest()...)
	return row.task(c), err
}

// listTasks reads tasks until there are limit of them, or until the next one would make
// their titles and notes exceed the given size in bytes. more reports whether there was
// a next one.
func listTasks(c Conn, where string, args []any, limit, bytes int) (all []tasks.Task, more bool, err error) {
	var row taskRow
	size := 0
	err = c.Each(selectTask+where, args, row.dest(), func() error {
		found := row.task(c)
		size += len(found.Title) + len(found.Note)
		if len(all) == limit || len(all) > 0 && size > bytes {
			more = true
			return ErrStop
		}
		all = append(all, found)
		return nil
	})
	return all, more, err
}

// ListTasks is the call of g for one page of tasks.
func ListTasks(e Entry, g bridge.Gate, q tasks.Query) (l tasks.List, err error) {
	if err := e.Charge(g.Charges); err != nil {
		return l, err
	}
	l.Unread = e.Inbox().Waiting(g.Now)
	scene, err := callerScene(e.SQL(), g)
	if err != nil {
		return l, err
	}
	const rest = " AND t.id > ?2 AND (?3 OR t.ended_at = 0) ORDER BY t.id LIMIT CAST(?4 AS bigint)"
	of, worker := scene.Listed()
	where := "WHERE t.team_id = ?1" + rest
	if of == "" {
		of, where = worker, "WHERE t.worker = ?1"+rest
	}
	l.Tasks, l.HasMore, err = listTasks(e.SQL(), where, []any{of, q.After, q.Ended, q.Limit + 1}, q.Limit, q.Bytes)
	e.Op().Details["tasks"] = len(l.Tasks)
	return l, err
}

// ReadTask is the call of g for one task and its history.
func ReadTask(e TaskEntry, g bridge.Gate, id int64) (l tasks.List, err error) {
	if err := e.Charge(g.Charges); err != nil {
		return l, err
	}
	l.Unread = e.Inbox().Waiting(g.Now)
	scene, err := taskScene(e, g, id)
	if err != nil {
		return l, err
	}
	if !scene.Visible() {
		return l, refused(tasks.ErrNoTask)
	}
	l.Tasks = []tasks.Task{scene.Task}
	l.History, err = history(e.SQL(), id)
	return l, err
}

// TaskOf returns one task as a session sees it.
func TaskOf(c Conn, conversation string, session bridge.SessionID, id int64) (tasks.Task, error) {
	s, err := sessionScene(c, conversation, session)
	if err == nil {
		s.Task, err = GetTask(c, id)
	}
	if err == nil {
		err = loadPast(c, &s)
	}
	if errors.Is(err, ErrNoRow) || err == nil && !s.Visible() {
		return tasks.Task{}, tasks.ErrNoTask
	}
	return s.Task, err
}

// OpenTasks returns the open tasks of which a session is told.
func OpenTasks(c Conn, conversation string, session bridge.SessionID) (all []int64, err error) {
	s, err := sessionScene(c, conversation, session)
	if err != nil {
		return nil, err
	}
	of, worker := s.Listed()
	where := "team_id = ?1"
	if of == "" {
		of, where = worker, "worker = ?1"
	}
	var id int64
	err = c.Each("SELECT id FROM tasks WHERE "+where+" AND ended_at = 0 ORDER BY id", []any{of}, []any{&id}, func() error {
		all = append(all, id)
		return nil
	})
	return all, err
}

func history(c Conn, id int64) (all []tasks.Event, err error) {
	v := tasks.Event{Task: id}
	var state string
	err = c.Each("SELECT at, actor, worker, state, note FROM task_events WHERE task = ?1 ORDER BY id",
		[]any{id}, []any{&v.At, &v.Actor, &v.Worker, &state, &v.Note}, func() error {
			v.State = tasks.State(state)
			v.Note = Shown(c, eventPlace(id, v.At, v.Actor, v.Worker, state), v.Note)
			all = append(all, v)
			return nil
		})
	return all, err
}

// Tasks returns all tasks, or only the open ones.
func Tasks(c Conn, openOnly bool) ([]tasks.Task, error) {
	where := "ORDER BY t.id"
	if openOnly {
		where = "WHERE t.ended_at = 0 ORDER BY t.id"
	}
	all, _, err := listTasks(c, where, nil, math.MaxInt, math.MaxInt)
	return all, err
}

// TaskHistory returns the events of a task, oldest first.
func TaskHistory(c Conn, id int64) ([]tasks.Event, error) {
	if _, err := GetTask(c, id); errors.Is(err, ErrNoRow) {
		return nil, tasks.ErrNoTask
	} else if err != nil {
		return nil, err
	}
	return history(c, id)
}
