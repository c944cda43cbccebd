package postgres

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

const selectWorker = `
	SELECT c.id, b.session, c.team, c.team_id, b.role, b.status, b.seen_at, b.heartbeat_at > 0,
	       (SELECT count(*) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = ` + workerName + ` AND t.ended_at = 0),
	       (SELECT min(t.assigned_at) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = ` + workerName + ` AND t.ended_at = 0),
	       x.noticed_at, x.heartbeat_at
	FROM conversations c
	JOIN session_status b ON b.conversation = c.id AND (b.session = 'b' OR b.session > 'b' AND b.seen_at > 0)
	LEFT JOIN silences x ON x.worker = ` + workerName + ` `

// workerName is tasks.WorkerName of the session b.
const workerName = "b.conversation || CASE b.session WHEN 'b' THEN '' ELSE '/' || b.session END"

// listWorkers reads the rows of selectWorker.
func listWorkers(c *conn, where string, args ...any) (all []tasks.Worker, err error) {
	var w tasks.Worker
	var session, status string
	dest := []any{
		&w.Conversation, &session, &w.Team, &w.TeamID, &w.Role, &status, &w.SeenAt, &w.Beats,
		&w.OpenTasks, &w.AssignedAt, &w.SilentSince, &w.LastHeartbeat,
	}
	err = c.each(selectWorker+where, args, dest, func() error {
		w.Session, w.Status = bridge.SessionID(session), bridge.Status(status)
		all = append(all, w)
		return nil
	})
	return all, err
}

func teamWorkers(c *conn, teamID string, now time.Time) ([]tasks.Worker, error) {
	return listWorkers(c, "WHERE c.team_id = $1 AND c.expires_at > $2 ORDER BY c.id, b.session", teamID, now)
}

// Workers implements tasks.Store.
func (s *Store) Workers(ctx context.Context, now time.Time) (all []tasks.Worker, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, err = listWorkers(c, "WHERE c.expires_at > $1 ORDER BY c.id, b.session", now)
		return err
	})
	return all, err
}

// NoteWorker implements tasks.Store.
func (s *Store) NoteWorker(ctx context.Context, op bridge.Operation, session bridge.SessionID, rule func(tasks.Worker) (tasks.WorkerNote, bool)) (bool, error) {
	err := s.operateIn(ctx, op, durable, team, func(e *entry) error {
		found, err := listWorkers(e.conn, "WHERE c.id = $1 AND b.session = $2 AND c.expires_at > $3", op.Conversation, string(session), op.Now)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errNothing
		}
		note, changed := rule(found[0])
		if !changed {
			return errNothing // somebody else was quicker
		}
		if err := e.keepSilence(note, op.Now); err != nil {
			return err
		}
		_, err = e.tell(note.Notices)
		return err
	})
	if errors.Is(err, errNothing) {
		return false, nil
	}
	return err == nil, err
}

// keepSilence keeps whether a worker is silent, and the alert about it.
func (e *entry) keepSilence(note tasks.WorkerNote, now time.Time) error {
	a := note.Alert
	worker := tasks.WorkerName(a.Conversation, a.Session)
	if note.Silent {
		e.later("INSERT INTO silences (worker, heartbeat_at, noticed_at) VALUES ($1, $2, $3)", worker, a.HeartbeatAt, now)
	} else {
		e.later("DELETE FROM silences WHERE worker = $1", worker)
	}
	var id int64
	err := e.get(`
		INSERT INTO alerts (at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		RETURNING id`,
		[]any{a.At, string(a.Kind), a.Conversation, string(a.Session), a.Team, a.TeamID, a.Role, a.HeartbeatAt, a.OpenTasks}, &id)
	e.op.Details["alert_id"] = id
	return err
}

// ClaimAlert implements tasks.Store.
func (s *Store) ClaimAlert(ctx context.Context, until time.Time, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		_, ok, err = firstAlert(c, rule)
		return err
	})
	if err != nil || !ok {
		return a, false, err
	}
	err = s.write(ctx, func(c *conn) (durability, error) {
		c.lock(s.schema, "alerts", "")
		if a, ok, err = firstAlert(c, rule); err != nil || !ok {
			return relaxed, err
		}
		a.Claim, a.ClaimUntil = a.Claim+1, until
		c.later("UPDATE alerts SET claim_id = $1, claim_until = $2 WHERE id = $3", a.Claim, until, a.ID)
		return durable, nil
	})
	return a, ok, err
}

// firstAlert returns the oldest alert that rule takes.
func firstAlert(c *conn, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	var kind, session string
	err = c.each(`
		SELECT id, at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks, claim_id, claim_until
		FROM alerts ORDER BY id`, nil,
		[]any{&a.ID, &a.At, &kind, &a.Conversation, &session, &a.Team, &a.TeamID, &a.Role, &a.HeartbeatAt, &a.OpenTasks, &a.Claim, &a.ClaimUntil},
		func() error {
			a.Kind, a.Session = tasks.AlertKind(kind), bridge.SessionID(session)
			if ok = rule(a); ok {
				return errStop
			}
			return nil
		})
	return a, ok, err
}

// EndAlert implements tasks.Store.
func (s *Store) EndAlert(ctx context.Context, op bridge.Operation, a tasks.Alert) error {
	err := s.operate(ctx, op, durable, func(e *entry) error {
		deleted, err := e.exec("DELETE FROM alerts WHERE id = $1 AND claim_id = $2", a.ID, a.Claim)
		if err == nil && deleted == 0 {
			return errNothing
		}
		return err
	})
	return unlessNothing(err)
}
