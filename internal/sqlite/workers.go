package sqlite

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

const selectWorker = `
	SELECT c.id, c.team, c.team_id, c.role_b, b.status, b.seen_at, b.heartbeat_at > 0,
	       (SELECT count(*) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = c.id AND t.ended_at = 0),
	       (SELECT min(t.assigned_at) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = c.id AND t.ended_at = 0),
	       x.noticed_at, x.heartbeat_at
	FROM conversations c
	JOIN session_status b ON b.conversation = c.id AND b.session = 'b'
	LEFT JOIN silences x ON x.conversation = c.id `

// listWorkers reads the rows of selectWorker.
func listWorkers(c *conn, where string, args ...any) (all []tasks.Worker, err error) {
	var w tasks.Worker
	var status string
	var beats int64
	dest := []any{
		&w.Conversation, &w.Team, &w.TeamID, &w.Role, &status, &w.SeenAt, &beats,
		&w.OpenTasks, &w.AssignedAt, &w.SilentSince, &w.LastHeartbeat,
	}
	err = c.each(selectWorker+where, args, dest, func() error {
		w.Status, w.Beats = bridge.Status(status), beats != 0
		all = append(all, w)
		return nil
	})
	return all, err
}

func teamWorkers(c *conn, teamID string, now time.Time) ([]tasks.Worker, error) {
	return listWorkers(c, "WHERE c.team_id = ? AND c.expires_at > ? ORDER BY c.id", teamID, now)
}

// Workers implements tasks.Store.
func (s *Store) Workers(ctx context.Context, now time.Time) (all []tasks.Worker, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, err = listWorkers(c, "WHERE c.expires_at > ? ORDER BY c.id", now)
		return err
	})
	return all, err
}

// Heartbeat implements bridge.Store.
func (s *Store) Heartbeat(ctx context.Context, g bridge.Gate) (p bridge.Pulse, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		p.Unread = e.self.Unread()
		if err := e.beat(g); err != nil {
			return err
		}
		if err := e.get("SELECT expires_at FROM conversations WHERE id = ?", []any{g.Conversation}, &p.ExpiresAt); err != nil {
			return err
		}
		return e.fold()
	})
	return p, err
}

// beat sets the heartbeat of g's session.
func (e *entry) beat(g bridge.Gate) error {
	if err := e.lapse(g.Conversation, g.Session); err != nil {
		return err
	}
	_, err := e.exec("UPDATE session_status SET heartbeat_at = ?1, seen_at = ?1 WHERE conversation = ?2 AND session = ?3",
		g.Now, g.Conversation, string(g.Session))
	return err
}

// PeekMessages implements bridge.Store.
func (s *Store) PeekMessages(ctx context.Context, g bridge.Gate, after int64, page bridge.Page) (p bridge.Peeked, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		p.LastSeq, p.Unread = e.self.LastSeq, e.self.Unread()
		p.Messages, p.HasMore, err = listMessages(e.conn,
			"AND m.recipient = ?2 AND m.seq > ?3 ORDER BY m.seq LIMIT ?4 + 0",
			[]any{g.Conversation, string(g.Session), e.self.Behind(after), page.Limit + 1}, page.Limit, page.Bytes)
		e.op.Details["messages"] = len(p.Messages)
		if err != nil || len(p.Messages) > 0 {
			return err
		}
		return e.fold()
	})
	return p, err
}

// NoteWorker implements tasks.Store.
func (s *Store) NoteWorker(ctx context.Context, op bridge.Operation, rule func(tasks.Worker) (tasks.WorkerNote, bool)) (bool, error) {
	err := s.operate(ctx, op, durable, func(e *entry) error {
		found, err := listWorkers(e.conn, "WHERE c.id = ? AND c.expires_at > ?", op.Conversation, op.Now)
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
	var err error
	if note.Silent {
		_, err = e.exec("INSERT INTO silences (conversation, heartbeat_at, noticed_at) VALUES (?, ?, ?)", a.Conversation, a.HeartbeatAt, now)
	} else {
		_, err = e.exec("DELETE FROM silences WHERE conversation = ?", a.Conversation)
	}
	if err != nil {
		return err
	}
	result, err := e.exec(`
		INSERT INTO alerts (at, kind, conversation, team, team_id, role, heartbeat_at, open_tasks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		a.At, string(a.Kind), a.Conversation, a.Team, a.TeamID, a.Role, a.HeartbeatAt, a.OpenTasks)
	if err != nil {
		return err
	}
	e.op.Details["alert_id"], err = result.LastInsertId()
	return err
}

// ClaimAlert implements tasks.Store.
func (s *Store) ClaimAlert(ctx context.Context, until time.Time, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		_, ok, err = firstAlert(c, rule)
		return err
	})
	if err != nil || !ok {
		return a, false, err
	}
	err = s.write.do(ctx, func(c *conn) (durability, error) {
		if a, ok, err = firstAlert(c, rule); err != nil || !ok {
			return relaxed, err
		}
		a.Claim, a.ClaimUntil = a.Claim+1, until
		_, err = c.exec("UPDATE alerts SET claim_id = ?, claim_until = ? WHERE id = ?", a.Claim, until, a.ID)
		return durable, err
	})
	return a, ok, err
}

// firstAlert returns the oldest alert that rule takes.
func firstAlert(c *conn, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	var kind string
	err = c.each(`
		SELECT id, at, kind, conversation, team, team_id, role, heartbeat_at, open_tasks, claim_id, claim_until
		FROM alerts ORDER BY id`, nil,
		[]any{&a.ID, &a.At, &kind, &a.Conversation, &a.Team, &a.TeamID, &a.Role, &a.HeartbeatAt, &a.OpenTasks, &a.Claim, &a.ClaimUntil},
		func() error {
			a.Kind = tasks.AlertKind(kind)
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
		result, err := e.exec("DELETE FROM alerts WHERE id = ? AND claim_id = ?", a.ID, a.Claim)
		if err != nil {
			return err
		}
		if deleted, err := result.RowsAffected(); err != nil || deleted == 0 {
			return errors.Join(errNothing, err)
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}
