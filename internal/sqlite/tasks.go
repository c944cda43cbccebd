package sqlite

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

// Membership implements bridge.Store.
func (s *Store) Membership(ctx context.Context, conversation string) (m bridge.Membership, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		err := c.get(`
			SELECT h.latest, h.slow, c.team, c.team_id, c.expires_at, c.expiry_seal, a.nonce
			FROM audit_head h
			LEFT JOIN conversations c ON c.id = ?1
			LEFT JOIN session_status a ON a.conversation = ?1 AND a.session = 'a'`,
			[]any{conversation}, &m.Clock.Latest, &m.Clock.Slow, &m.Team, &m.TeamID, &m.ExpiresAt, &m.ExpirySeal, &m.Nonce)
		return headless(err)
	})
	return m, err
}

// CreateTask implements tasks.Store.
func (s *Store) CreateTask(ctx context.Context, g bridge.Gate, key string, rule tasks.Rule) (result tasks.Result, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		result, err = sqlstore.CreateTask(e, g, key, rule)
		return err
	})
	return result, err
}

// ChangeTask implements tasks.Store.
func (s *Store) ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule tasks.Rule) (result tasks.Result, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) (err error) {
		result, err = sqlstore.ChangeTask(e, g, id, rule)
		return err
	})
	return result, err
}

// errNothing undoes an operation that has nothing to do: it is not recorded.
var errNothing = sqlstore.ErrNothing

// MoveTask implements tasks.Store.
func (s *Store) MoveTask(ctx context.Context, op bridge.Operation, id int64, rule tasks.Rule) (change tasks.Change, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		task, err := sqlstore.GetTask(e.sql(), id)
		if errors.Is(err, errNoRow) {
			return errNothing
		}
		if err != nil {
			return err
		}
		change, err = sqlstore.MoveTask(e, task, rule)
		return err
	})
	if errors.Is(err, errNothing) {
		return tasks.Change{}, nil
	}
	return change, err
}

// NextTask implements sqlstore.TaskEntry.
func (e *entry) NextTask() (id int64, err error) {
	err = e.get("SELECT ifnull(max(id), 0) + 1 FROM tasks", nil, &id)
	return id, err
}

// Workers implements sqlstore.TaskEntry.
func (e *entry) Workers(teamID string) ([]tasks.Worker, error) {
	return teamWorkers(e.conn, teamID, e.now)
}

// Tell implements sqlstore.TaskEntry.
func (e *entry) Tell(notices []tasks.Notice) (told []tasks.Notice, err error) {
	return sqlstore.Tell(e.sql(), notices, e.now, func(n tasks.Notice) error {
		_, err := e.appendTo(n.Conversation, bridge.System, n.To, "", bridge.NewMessage{Action: n.Action, Text: n.Text})
		return err
	})
}

// ListTasks implements tasks.Store.
func (s *Store) ListTasks(ctx context.Context, g bridge.Gate, q tasks.Query) (l tasks.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) (err error) {
		l, err = sqlstore.ListTasks(e, g, q)
		return err
	})
	return l, err
}

// ReadTask implements tasks.Store.
func (s *Store) ReadTask(ctx context.Context, g bridge.Gate, id int64) (l tasks.List, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) (err error) {
		l, err = sqlstore.ReadTask(e, g, id)
		return err
	})
	return l, err
}

// PeekTask implements tasks.Store.
func (s *Store) PeekTask(ctx context.Context, conversation string, session bridge.SessionID, id int64) (task tasks.Task, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		task, err = sqlstore.PeekTask(c.sql(), conversation, session, id)
		return err
	})
	return task, err
}

// OpenTasks implements tasks.Store.
func (s *Store) OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) (all []int64, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		all, err = sqlstore.OpenTasks(c.sql(), conversation, session)
		return err
	})
	return all, err
}

// Tasks implements tasks.Store.
func (s *Store) Tasks(ctx context.Context, openOnly bool) (all []tasks.Task, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		all, err = sqlstore.Tasks(c.sql(), openOnly)
		return err
	})
	return all, err
}

// TaskHistory implements tasks.Store.
func (s *Store) TaskHistory(ctx context.Context, id int64) (all []tasks.Event, err error) {
	err = s.read.do(ctx, func(c *conn) (err error) {
		all, err = sqlstore.TaskHistory(c.sql(), id)
		return err
	})
	return all, err
}
