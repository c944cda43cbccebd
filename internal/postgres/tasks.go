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
	return sqlstore.TeamWorkers(e.sql(), dialect, teamID, e.Time)
}

// Tell implements sqlstore.TaskEntry. The team must be locked.
func (e *entry) Tell(notices []tasks.Notice) (told []tasks.Notice, err error) {
	e.holdAll(notices)
	return sqlstore.Tell(e.sql(), notices, e.Time, func(n tasks.Notice) error {
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
