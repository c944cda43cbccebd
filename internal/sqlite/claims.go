package sqlite

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// selectClaims reads claims at the time ?1. One is over once its conversation has
// expired, or its task is no longer an open one of its holder.
const selectClaims = `
	SELECT f.id, f.team_id, f.conversation, f.session, s.role,
	       f.path, f.shared, f.reason, f.task, f.lease, f.taken_at, s.seen_at,
	       c.expires_at <= ?1 OR f.task <> 0 AND NOT EXISTS (` + holdsTask + `)
	FROM file_claims f
	JOIN conversations c ON c.id = f.conversation
	JOIN session_status s ON s.conversation = f.conversation AND s.session = f.session `

// holdsTask is a row where the task of f is an open one of f's session: its own
// (tasks.WorkerName), or, of session a, one of its team.
const holdsTask = `
	SELECT 1 FROM tasks t WHERE t.id = f.task AND t.ended_at = 0 AND
	    (f.session = 'a' AND t.team_id = f.team_id OR f.session <> 'a' AND t.worker = f.conversation || CASE f.session WHEN 'b' THEN '' ELSE '/' || f.session END)`

func listClaims(c *conn, now time.Time, where string, args ...any) (all []claims.Claim, err error) {
	var one claims.Claim
	var session string
	var shared, lease, over int64
	dest := []any{
		&one.ID, &one.TeamID, &one.Conversation, &session, &one.Role, &one.Path, &shared, &one.Reason, &one.Task, &lease,
		&one.TakenAt, &one.SeenAt, &over,
	}
	err = c.each(selectClaims+where+" ORDER BY f.id", append([]any{now}, args...), dest, func() error {
		one.Session, one.Shared, one.Over = bridge.SessionID(session), shared != 0, over != 0
		one.Lease = time.Duration(lease) * time.Microsecond
		all = append(all, one)
		return nil
	})
	return all, err
}

// ChangeClaims implements claims.Store.
func (s *Store) ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule claims.Rule) (result claims.Result, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		result = claims.Result{Unread: e.self.Waiting(g.Now)}
		if err := e.chargeCall(); err != nil {
			return err
		}
		scene, err := e.claimScene(g, task)
		if err != nil {
			return err
		}
		outcome := rule(scene)
		if err := e.keepClaims(outcome); err != nil {
			return err
		}
		if outcome.Refused != nil {
			return &bridge.Refusal{Reason: outcome.Refused, Outcome: bridge.OutcomeRefused}
		}
		result.Changed, result.Held = scene.Changed(outcome)
		return nil
	})
	return result, err
}

// claimScene is what decides about the claims of g's team.
func (e *entry) claimScene(g bridge.Gate, task int64) (s claims.Scene, err error) {
	s = claims.Scene{Now: e.now, Conversation: g.Conversation, Session: g.Session}
	if err := e.get("SELECT team_id FROM conversations WHERE id = ?", []any{g.Conversation}, &s.TeamID); err != nil {
		return s, err
	}
	if task != 0 {
		var found int64
		err := e.get("SELECT EXISTS ("+holdsTask+") FROM (SELECT ? AS task, ? AS session, ? AS team_id, ? AS conversation) f",
			[]any{task, string(g.Session), s.TeamID, g.Conversation}, &found)
		if err != nil {
			return s, err
		}
		s.HasTask = found != 0
	}
	s.Claims, err = listClaims(e.conn, e.now, "WHERE f.team_id = ?2", s.TeamID)
	return s, err
}

func (e *entry) keepClaims(o claims.Outcome) error {
	for _, id := range o.Remove {
		if _, err := e.exec("DELETE FROM file_claims WHERE id = ?", id); err != nil {
			return err
		}
	}
	for _, c := range o.Add {
		shared := 0
		if c.Shared {
			shared = 1
		}
		_, err := e.exec(`
			INSERT INTO file_claims (team_id, conversation, session, path, shared, reason, task, lease, taken_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.TeamID, c.Conversation, string(c.Session), c.Path, shared, c.Reason, c.Task, c.Lease.Microseconds(), c.TakenAt)
		if err != nil {
			return err
		}
	}
	return nil
}

// lapse removes the claims that a session let run out, before it gives a sign of
// life again: that must not bring them back.
func (e *entry) lapse(conversation string, session bridge.SessionID) error {
	if e.now.Sub(e.proof.SeenAt) < claims.MinSeconds*time.Second {
		return nil
	}
	own, err := listClaims(e.conn, e.now, "WHERE f.conversation = ?2 AND f.session = ?3", conversation, string(session))
	if err != nil {
		return err
	}
	for _, c := range own {
		if c.Held(e.now) {
			continue
		}
		if _, err := e.exec("DELETE FROM file_claims WHERE id = ?", c.ID); err != nil {
			return err
		}
	}
	return nil
}

// Claims implements claims.Store.
func (s *Store) Claims(ctx context.Context, now time.Time) (all []claims.Claim, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, err = listClaims(c, now, "")
		return err
	})
	return all, err
}

// RemoveClaim implements claims.Store.
func (s *Store) RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		result, err := e.exec("DELETE FROM file_claims WHERE id = ?", id)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(claims.ErrNoClaim, err)
		}
		return nil
	})
}
