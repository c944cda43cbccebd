package postgres

import (
	"context"
	"errors"
	"math"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

var selectTask = `
	SELECT t.id, t.team, t.team_id, t.home, t.title, t.body, t.needs, t.redacted, t.state, t.worker, t.role, t.last_worker,
	       t.note, t.events, t.created_at, t.assigned_at, t.updated_at, b.seen_at
	FROM tasks t LEFT JOIN session_status b ON ` + isWorker("t.worker") + ` `

// isWorker is true of the session b that a column names as tasks.WorkerName does.
func isWorker(column string) string {
	return "b.conversation = split_part(" + column + ", '/', 1) AND b.session = coalesce(nullif(split_part(" + column + ", '/', 2), ''), 'b')"
}

// taskRow is where a row of selectTask is read into.
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

func (r *taskRow) task() tasks.Task {
	t := r.Task
	t.State, t.Redacted = tasks.State(r.state), sqlstore.FromList(r.redacted)
	return t
}

// getTask returns one task, or errNoRow.
func getTask(c *conn, id int64) (tasks.Task, error) {
	var row taskRow
	err := c.get(selectTask+"WHERE t.id = $1", []any{id}, row.dest()...)
	return row.task(), err
}

// listTasks reads tasks until there are limit of them, or until the next one
// would make their titles and notes longer than bytes. more says whether there
// was a next one.
func listTasks(c *conn, where string, args []any, limit, bytes int) (all []tasks.Task, more bool, err error) {
	var row taskRow
	size := 0
	err = c.each(selectTask+where, args, row.dest(), func() error {
		size += len(row.Title) + len(row.Note)
		if len(all) == limit || len(all) > 0 && size > bytes {
			more = true
			return errStop
		}
		all = append(all, row.task())
		return nil
	})
	return all, more, err
}

// ListTasks implements tasks.Store.
func (s *Store) ListTasks(ctx context.Context, g bridge.Gate, q tasks.Query) (l tasks.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		l = tasks.List{Unread: e.self.Waiting(g.Now)}
		scene, err := e.callerScene(g)
		if err != nil {
			return err
		}
		of, worker := scene.Listed()
		where := "WHERE t.team_id = $1 AND t.id > $2 AND ($3 OR t.ended_at = 0) ORDER BY t.id LIMIT $4"
		if of == "" {
			of, where = worker, "WHERE t.worker = $1 AND t.id > $2 AND ($3 OR t.ended_at = 0) ORDER BY t.id LIMIT $4"
		}
		l.Tasks, l.HasMore, err = listTasks(e.conn, where, []any{of, q.After, q.Ended, q.Limit + 1}, q.Limit, q.Bytes)
		e.op.Details["tasks"] = len(l.Tasks)
		return err
	})
	return l, err
}

// ReadTask implements tasks.Store.
func (s *Store) ReadTask(ctx context.Context, g bridge.Gate, id int64) (l tasks.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		l = tasks.List{Unread: e.self.Waiting(g.Now)}
		scene, err := e.taskScene(g, id)
		if err != nil {
			return err
		}
		if !scene.Visible() {
			return &bridge.Refusal{Reason: tasks.ErrNoTask, Outcome: bridge.OutcomeRefused}
		}
		l.Tasks = []tasks.Task{scene.Task}
		l.History, err = history(e.conn, id)
		return err
	})
	return l, err
}

func history(c *conn, id int64) (all []tasks.Event, err error) {
	v := tasks.Event{Task: id}
	var state string
	err = c.each("SELECT at, actor, worker, state, note FROM task_events WHERE task = $1 ORDER BY id",
		[]any{id}, []any{&v.At, &v.Actor, &v.Worker, &state, &v.Note}, func() error {
			v.State = tasks.State(state)
			all = append(all, v)
			return nil
		})
	return all, err
}

// Tasks implements tasks.Store.
func (s *Store) Tasks(ctx context.Context, openOnly bool) (all []tasks.Task, err error) {
	err = s.read(ctx, func(c *conn) error {
		where := "ORDER BY t.id"
		if openOnly {
			where = "WHERE t.ended_at = 0 ORDER BY t.id"
		}
		all, _, err = listTasks(c, where, nil, math.MaxInt, math.MaxInt)
		return err
	})
	return all, err
}

// TaskHistory implements tasks.Store.
func (s *Store) TaskHistory(ctx context.Context, id int64) (all []tasks.Event, err error) {
	err = s.read(ctx, func(c *conn) error {
		if _, err := getTask(c, id); errors.Is(err, errNoRow) {
			return tasks.ErrNoTask
		}
		all, err = history(c, id)
		return err
	})
	return all, err
}
