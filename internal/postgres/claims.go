package postgres

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// selectClaims reads claims at the time $1. One is over once its conversation has
// expired, or its task is no longer an open one of its holder.
const selectClaims = `
	SELECT f.id, f.team_id, f.conversation, f.session, s.role,
	       f.path, f.shared, f.reason, f.task, f.lease, f.taken_at, s.seen_at,
	       c.expires_at <= $1 OR f.task <> 0 AND NOT EXISTS (` + holdsTask + `)
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
	var lease int64
	dest := []any{
		&one.ID, &one.TeamID, &one.Conversation, &session, &one.Role, &one.Path, &one.Shared, &one.Reason, &one.Task, &lease,
		&one.TakenAt, &one.SeenAt, &one.Over,
	}
	err = c.each(selectClaims+where+" ORDER BY f.id", append([]any{now}, args...), dest, func() error {
		one.Session = bridge.SessionID(session)
		one.Lease = time.Duration(lease) * time.Microsecond
		all = append(all, one)
		return nil
	})
	return all, err
}

// ChangeClaims implements claims.Store.
func (s *Store) ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule claims.Rule) (result claims.Result, err error) {
	err = s.passIn(ctx, g, durable, team, func(e *entry) error {
		result = claims.Result{Unread: e.self.Waiting(g.Now)}
		if err := e.chargeCall(); err != nil {
			return err
		}
		scene, err := e.claimScene(g, task)
		if err != nil {
			return err
		}
		outcome := rule(scene)
		e.keepClaims(outcome)
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
	if err := e.get("SELECT team_id FROM conversations WHERE id = $1", []any{g.Conversation}, &s.TeamID); err != nil {
		return s, err
	}
	if task != 0 {
		err := e.get("SELECT EXISTS ("+holdsTask+") FROM (SELECT $1::bigint AS task, $2::text AS session, $3::text AS team_id, $4::text AS conversation) f",
			[]any{task, string(g.Session), s.TeamID, g.Conversation}, &s.HasTask)
		if err != nil {
			return s, err
		}
	}
	s.Claims, err = listClaims(e.conn, e.now, "WHERE f.team_id = $2", s.TeamID)
	return s, err
}

func (e *entry) keepClaims(o claims.Outcome) {
	if len(o.Remove) > 0 {
		e.later("DELETE FROM file_claims WHERE id = ANY($1)", o.Remove)
	}
	for _, c := range o.Add {
		e.later(`
			INSERT INTO file_claims (team_id, conversation, session, path, shared, reason, task, lease, taken_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			c.TeamID, c.Conversation, string(c.Session), c.Path, c.Shared, c.Reason, c.Task, c.Lease.Microseconds(), c.TakenAt)
	}
}

// lapse removes the claims that a session let run out, before it gives a sign of
// life again: that must not bring them back.
func (e *entry) lapse(conversation string, session bridge.SessionID) error {
	if e.now.Sub(e.proof.SeenAt) < claims.MinSeconds*time.Second {
		return nil
	}
	own, err := listClaims(e.conn, e.now, "WHERE f.conversation = $2 AND f.session = $3", conversation, string(session))
	if err != nil {
		return err
	}
	for _, c := range own {
		if !c.Held(e.now) {
			e.later("DELETE FROM file_claims WHERE id = $1", c.ID)
		}
	}
	return nil
}

// Claims implements claims.Store.
func (s *Store) Claims(ctx context.Context, now time.Time) (all []claims.Claim, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, err = listClaims(c, now, "")
		return err
	})
	return all, err
}

// RemoveClaim implements claims.Store.
func (s *Store) RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		changed, err := e.exec("DELETE FROM file_claims WHERE id = $1", id)
		if err == nil && changed == 0 {
			return claims.ErrNoClaim
		}
		return err
	})
}
