package postgres

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
	"example.org/bridge/internal/tasks"
)

// selectWorkers begins the queries for workers.
var selectWorkers = sqlstore.SelectWorkers("x.worker")

func teamWorkers(c *conn, teamID string, now time.Time) ([]tasks.Worker, error) {
	return sqlstore.ReadWorkers(c.sql(), selectWorkers+"WHERE c.team_id = ?1 AND c.expires_at > ?2 ORDER BY c.id, b.session", teamID, now)
}

// Workers implements tasks.Store.
func (s *Store) Workers(ctx context.Context, now time.Time) (all []tasks.Worker, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, err = sqlstore.ReadWorkers(c.sql(), selectWorkers+"WHERE c.expires_at > ?1 ORDER BY c.id, b.session", now)
		return err
	})
	return all, err
}

// NoteWorker implements tasks.Store.
func (s *Store) NoteWorker(ctx context.Context, op bridge.Operation, session bridge.SessionID, rule func(tasks.Worker) (tasks.WorkerNote, bool)) (bool, error) {
	err := s.operateIn(ctx, op, durable, team, func(e *entry) error {
		found, err := sqlstore.ReadWorkers(e.sql(), selectWorkers+"WHERE c.id = ?1 AND b.session = ?2 AND c.expires_at > ?3", op.Conversation, string(session), op.Now)
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
		_, err = e.Tell(note.Notices)
		return err
	})
	if errors.Is(err, errNothing) {
		return false, nil
	}
	return err == nil, err
}

// keepSilence keeps whether a worker is silent, and the alert about it.
func (e *entry) keepSilence(note tasks.WorkerNote, now time.Time) (err error) {
	a := note.Alert
	worker := tasks.WorkerName(a.Conversation, a.Session)
	if note.Silent {
		e.later("INSERT INTO silences (worker, heartbeat_at, noticed_at) VALUES ($1, $2, $3)", worker, a.HeartbeatAt, now)
	} else {
		e.later("DELETE FROM silences WHERE worker = $1", worker)
	}
	e.op.Details["alert_id"], err = sqlstore.AddAlert(e.sql(), a)
	return err
}

// ClaimAlert implements tasks.Store.
func (s *Store) ClaimAlert(ctx context.Context, until time.Time, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		_, ok, err = sqlstore.FirstAlert(c.sql(), rule)
		return err
	})
	if err != nil || !ok {
		return a, false, err
	}
	err = s.write(ctx, func(c *conn) (durability, error) {
		c.lock(s.schema, "alerts", "")
		if a, ok, err = sqlstore.FirstAlert(c.sql(), rule); err != nil || !ok {
			return relaxed, err
		}
		a.Claim, a.ClaimUntil = a.Claim+1, until
		return durable, sqlstore.KeepAlertClaim(c.sql(), a)
	})
	return a, ok, err
}

// EndAlert implements tasks.Store.
func (s *Store) EndAlert(ctx context.Context, op bridge.Operation, a tasks.Alert) error {
	err := s.operate(ctx, op, durable, func(e *entry) error { return sqlstore.EndAlert(e.sql(), a) })
	return unlessNothing(err)
}
