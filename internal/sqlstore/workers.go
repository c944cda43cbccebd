package sqlstore

import (
	"errors"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/tasks"
)

// SelectWorkers returns the beginning of the query that ReadWorkers takes. silentWorker
// is the column of table silences (alias x) with the worker's name.
func SelectWorkers(silentWorker string) string {
	// As tasks.WorkerName names the session b.
	const name = "b.conversation || CASE b.session WHEN 'b' THEN '' ELSE '/' || b.session END"
	return `
	SELECT c.id, b.session, c.team, c.team_id, b.role, b.status, b.seen_at, b.heartbeat_at > 0,
	       (SELECT count(*) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = ` + name + ` AND t.ended_at = 0),
	       (SELECT min(t.assigned_at) FROM tasks t WHERE t.team_id = c.team_id AND t.worker = ` + name + ` AND t.ended_at = 0),
	       x.noticed_at, x.heartbeat_at
	FROM conversations c
	JOIN session_status b ON b.conversation = c.id AND (b.session = 'b' OR b.session > 'b' AND b.seen_at > 0)
	LEFT JOIN silences x ON ` + silentWorker + ` = ` + name + ` `
}

// ReadWorkers returns the rows of a query that starts with SelectWorkers.
func ReadWorkers(c Conn, query string, args ...any) (all []tasks.Worker, err error) {
	var w tasks.Worker
	var session, status string
	dest := []any{
		&w.Conversation, &session, &w.Team, &w.TeamID, &w.Role, &status, &w.SeenAt, &w.Beats,
		&w.OpenTasks, &w.AssignedAt, &w.SilentSince, &w.LastHeartbeat,
	}
	err = c.Each(query, args, dest, func() error {
		w.Session, w.Status = bridge.SessionID(session), bridge.Status(status)
		all = append(all, w)
		return nil
	})
	return all, err
}

// AddAlert stores an alert and returns its id.
func AddAlert(c Conn, a tasks.Alert) (id int64, err error) {
	err = c.Get(`
		INSERT INTO alerts (at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id`,
		[]any{a.At, string(a.Kind), a.Conversation, string(a.Session), a.Team, a.TeamID, a.Role, a.HeartbeatAt, a.OpenTasks}, &id)
	return id, err
}

// FirstAlert returns the oldest alert for which rule returns true.
func FirstAlert(c Conn, rule func(tasks.Alert) bool) (a tasks.Alert, ok bool, err error) {
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

// KeepAlertClaim stores which process is sending an alert, and until when that is
// valid.
func KeepAlertClaim(c Conn, a tasks.Alert) error {
	return c.Later("UPDATE alerts SET claim_id = ?1, claim_until = ?2 WHERE id = ?3", a.Claim, a.ClaimUntil, a.ID)
}

// EndAlert deletes an alert that was sent under the claim in a. The error is ErrNothing
// if another process has claimed it since.
func EndAlert(c Conn, a tasks.Alert) error {
	err := c.Get("DELETE FROM alerts WHERE id = ?1 AND claim_id = ?2 RETURNING id", []any{a.ID, a.Claim}, &a.ID)
	if errors.Is(err, ErrNoRow) {
		return ErrNothing
	}
	return err
}
