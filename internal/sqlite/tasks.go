package sqlite

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

// errNothing rolls back an operation that has nothing to do. The operation is not
// recorded.
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
	return sqlstore.TeamWorkers(e.sql(), dialect, teamID, e.Time)
}

// Tell implements sqlstore.TaskEntry.
func (e *entry) Tell(notices []tasks.Notice) (told []tasks.Notice, err error) {
	return sqlstore.Tell(e.sql(), notices, e.Time, func(n tasks.Notice) error {
		_, err := e.appendTo(n.Conversation, bridge.System, n.To, "", bridge.NewMessage{Action: n.Action, Text: n.Text})
		return err
	})
}
