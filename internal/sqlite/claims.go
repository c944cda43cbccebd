package sqlite

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/tasks"
)

// selectClaims reads claims, with what decides whether each still stands.
const selectClaims = `
	SELECT f.id, f.team_id, f.conversation, f.session, s.role,
	       f.path, f.shared, f.reason, f.task, f.lease, f.taken_at, s.seen_at, c.expires_at,
	       t.id, t.team_id, t.worker, t.state
	FROM file_claims f
	JOIN conversations c ON c.id = f.conversation
	JOIN session_status s ON s.conversation = f.conversation AND s.session = f.session
	LEFT JOIN tasks t ON t.id = f.task `

func listClaims(c *conn, where string, args ...any) (all []claims.Claim, err error) {
	var one claims.Claim
	var of tasks.Task
	var session, state string
	var shared, lease int64
	dest := []any{
		&one.ID, &one.TeamID, &one.Conversation, &session, &one.Role,
		&one.Path, &shared, &one.Reason, &one.Task, &lease, &one.TakenAt, &one.SeenAt, &one.ExpiresAt,
		&of.ID, &of.TeamID, &of.Worker, &state,
	}
	err = c.each(selectClaims+where+" ORDER BY f.id", args, dest, func() error {
		one.Session, one.Shared = bridge.SessionID(session), shared != 0
		one.Lease = time.Duration(lease) * time.Microsecond
		of.State = tasks.State(state)
		one.HasTask = of.HeldBy(one.TeamID, one.Conversation, one.Session)
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
		of, err := getTask(e.conn, task)
		if err != nil && !errors.Is(err, errNoRow) {
			return s, err
		}
		s.HasTask = err == nil && of.HeldBy(s.TeamID, g.Conversation, g.Session)
	}
	s.Claims, err = listClaims(e.conn, "WHERE f.team_id = ?", s.TeamID)
	return s, err
}

func (e *entry) keepClaims(o claims.Outcome) error {
	if err := e.removeClaims(o.Remove); err != nil {
		return err
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

func (e *entry) removeClaims(ids []int64) error {
	for _, id := range ids {
		if _, err := e.exec("DELETE FROM file_claims WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// lapse removes the claims that a session let run out, before it gives a sign of
// life again: that must not bring them back.
func (e *entry) lapse(conversation string, session bridge.SessionID) error {
	if !claims.MayHaveLapsed(e.proof.SeenAt, e.now) {
		return nil
	}
	own, err := listClaims(e.conn, "WHERE f.conversation = ? AND f.session = ?", conversation, string(session))
	if err != nil {
		return err
	}
	return e.removeClaims(claims.Lapsed(own, e.now))
}

// Claims implements claims.Store.
func (s *Store) Claims(ctx context.Context, now time.Time) (all []claims.Claim, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, err = listClaims(c, "")
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
