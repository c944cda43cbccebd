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
	err = s.passIn(ctx, g, durable, team, func(e *entry) (err error) {
		result, err = sqlstore.CreateTask(e, g, key, rule)
		return err
	})
	return result, err
}

// ChangeTask implements tasks.Store.
func (s *Store) ChangeTask(ctx context.Context, g bridge.Gate, id int64, rule tasks.Rule) (result tasks.Result, err error) {
	err = s.passIn(ctx, g, durable, team, func(e *entry) (err error) {
		result, err = sqlstore.ChangeTask(e, g, id, rule)
		return err
	})
	return result, err
}

// MoveTask implements tasks.Store.
func (s *Store) MoveTask(ctx context.Context, op bridge.Operation, id int64, rule tasks.Rule) (change tasks.Change, err error) {
	err = s.commit(ctx, op, durable, func(e *entry) error {
		change = tasks.Change{}
		task, err := sqlstore.GetTask(e.sql(), id) // a task never changes its team
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
		if task, err = sqlstore.GetTask(e.sql(), id); err != nil {
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
	err = e.get("SELECT nextval(pg_get_serial_sequence('tasks', 'id'))", nil, &id)
	return id, err
}

// Workers implements sqlstore.TaskEntry.
func (e *entry) Workers(teamID string) ([]tasks.Worker, error) {
	return teamWorkers(e.conn, teamID, e.now)
}

// Tell implements sqlstore.TaskEntry. The team must be locked.
func (e *entry) Tell(notices []tasks.Notice) (told []tasks.Notice, err error) {
	e.holdAll(notices)
	return sqlstore.Tell(e.sql(), notices, e.now, func(n tasks.Notice) error {
		to := mail{conversation: n.Conversation, from: bridge.System, to: bridge.Recipients{n.To}}
		_, err := e.deliver(to, bridge.NewMessage{Action: n.Action, Text: n.Text})
		return err
	})
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
	err = s.read(ctx, func(c *conn) (err error) {
		task, err = sqlstore.PeekTask(c.sql(), conversation, session, id)
		return err
	})
	return task, err
}

// OpenTasks implements tasks.Store.
func (s *Store) OpenTasks(ctx context.Context, conversation string, session bridge.SessionID) (all []int64, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		all, err = sqlstore.OpenTasks(c.sql(), conversation, session)
		return err
	})
	return all, err
}

// Tasks implements tasks.Store.
func (s *Store) Tasks(ctx context.Context, openOnly bool) (all []tasks.Task, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		all, err = sqlstore.Tasks(c.sql(), openOnly)
		return err
	})
	return all, err
}

// TaskHistory implements tasks.Store.
func (s *Store) TaskHistory(ctx context.Context, id int64) (all []tasks.Event, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		all, err = sqlstore.TaskHistory(c.sql(), id)
		return err
	})
	return all, err
}
