package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

// readWorkers returns the workers among the conversations c and sessions b that where
// selects, in order of both.
func readWorkers(c Conn, d Dialect, where string, args ...any) (all []tasks.Worker, err error) {
	// The same form as tasks.WorkerName for session b.
	const name = "b.conversation || CASE b.session WHEN 'b' THEN '' ELSE '/' || b.session END"
	var w tasks.Worker
	var session, status string
	dest := []any{
		&w.Conversation, &session, &w.Team, &w.TeamID, &w.Role, &status, &w.SeenAt, &w.Beats,
		&w.OpenTasks, &w.AssignedAt, &w.SilentSince, &w.LastHeartbeat,
	}
	err = c.Each(`
		SELECT c.id, b.session, c.team, c.team_id, b.role, b.status, b.seen_at, b.heartbeat_at > 0,
		       (SELECT count(*) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = `+name+` AND t.ended_at = 0),
		       (SELECT min(t.assigned_at) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = `+name+` AND t.ended_at = 0),
		       x.noticed_at, x.heartbeat_at
		FROM conversations c
		JOIN session_status b ON b.conversation = c.id AND (b.session = 'b' OR b.session > 'b' AND b.seen_at > 0)
		LEFT JOIN silences x ON x.`+d.SilentWorker+` = `+name+` `+where, args, dest, func() error {
		w.Session, w.Status = bridge.SessionID(session), bridge.Status(status)
		all = append(all, w)
		return nil
	})
	slices.SortFunc(all, func(a, b tasks.Worker) int {
		return cmp.Or(cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(a.Session, b.Session))
	})
	return all, err
}

// TeamWorkers returns the workers of a team as of a time.
func TeamWorkers(c Conn, d Dialect, teamID string, now time.Time) ([]tasks.Worker, error) {
	return readWorkers(c, d, "WHERE c.team_id = ?1 AND c.expires_at > ?2", teamID, now)
}

// NoteWorker implements tasks.Store.
func (o Operations) NoteWorker(ctx context.Context, op bridge.Operation, session bridge.SessionID, rule func(tasks.Worker) (tasks.WorkerNote, bool)) (bool, error) {
	err := o.in.Operate(ctx, op, inTeam, func(e StoreEntry) error {
		found, err := readWorkers(e.SQL(), o.dialect, "WHERE c.id = ?1 AND b.session = ?2 AND c.expires_at > ?3", op.Conversation, string(session), e.Now())
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return ErrNothing
		}
		note, changed := rule(found[0])
		if !changed {
			return ErrNothing // another process was first
		}
		if err := o.keepSilence(e, note); err != nil {
			return err
		}
		_, err = e.Tell(note.Notices)
		return err
	})
	return err == nil, UnlessNothing(err)
}

// keepSilence stores whether a worker is silent, and the alert about it.
func (o Operations) keepSilence(e StoreEntry, note tasks.WorkerNote) (err error) {
	a, c, op, column := note.Alert, e.SQL(), e.Op(), o.dialect.SilentWorker
	worker := tasks.WorkerName(a.Conversation, a.Session)
	if note.Silent {
		err = c.Later("INSERT INTO silences ("+column+", heartbeat_at, noticed_at) VALUES (?1, ?2, ?3)", worker, a.HeartbeatAt, op.Now)
	} else {
		err = c.Later("DELETE FROM silences WHERE "+column+" = ?1", worker)
	}
	if err != nil {
		return err
	}
	op.Details["alert_id"], err = addAlert(c, a)
	return err
}

// ClaimAlert implements tasks.Store. It reads before it writes, because there is hardly
// ever an alert.
func (o Operations) ClaimAlert(ctx context.Context, until time.Time, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	err = o.read(ctx, func(c Conn) (err error) {
		_, ok, err = firstAlert(c, rule)
		return err
	})
	if err != nil || !ok {
		return a, false, err
	}
	err = o.in.Write(ctx, How{Alone: "alerts"}, func(c Conn) (err error) {
		if a, ok, err = firstAlert(c, rule); err != nil {
			return err
		}
		if !ok {
			return ErrNothing
		}
		a.Claim, a.ClaimUntil = a.Claim+1, until
		return keepAlertClaim(c, a)
	})
	return a, ok, UnlessNothing(err)
}

// EndAlert implements tasks.Store.
func (o Operations) EndAlert(ctx context.Context, op bridge.Operation, a tasks.Alert) error {
	return UnlessNothing(o.in.Operate(ctx, op, How{}, func(e StoreEntry) error { return endAlert(e.SQL(), a) }))
}

// addAlert stores an alert and returns its id.
func addAlert(c Conn, a tasks.Alert) (id int64, err error) {
	err = c.Get(`
		INSERT INTO alerts (at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id`,
		[]any{a.At, string(a.Kind), a.Conversation, string(a.Session), a.Team, a.TeamID, a.Role, a.HeartbeatAt, a.OpenTasks}, &id)
	return id, err
}

// firstAlert returns the oldest alert for which rule returns true.
func firstAlert(c Conn, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
	var kind, session string
	err = c.Each(`
		SELECT id, at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks, claim_id, claim_until
		FROM alerts ORDER BY id`, nil,
		[]any{&a.ID, &a.At, &kind, &a.Conversation, &session, &a.Team, &a.TeamID, &a.Role, &a.HeartbeatAt, &a.OpenTasks, &a.Claim, &a.ClaimUntil},
		func() error {
			a.Kind, a.Session = tasks.AlertKind(kind), bridge.SessionID(session)
			if ok = rule(a); ok {
				return ErrStop
			}
			return nil
		})
	return a, ok, err
}

// keepAlertClaim stores which process is sending an alert, and until when that is
// valid.
func keepAlertClaim(c Conn, a tasks.Alert) error {
	return c.Later("UPDATE alerts SET claim_id = ?1, claim_until = ?2 WHERE id = ?3", a.Claim, a.ClaimUntil, a.ID)
}

// endAlert deletes an alert that was sent under the claim in a. The error is ErrNothing
// if another process has claimed it meanwhile.
func endAlert(c Conn, a tasks.Alert) error {
	err := c.Get("DELETE FROM alerts WHERE id = ?1 AND claim_id = ?2 RETURNING id", []any{a.ID, a.Claim}, &a.ID)
	if errors.Is(err, ErrNoRow) {
		return ErrNothing
	}
	return err
}
