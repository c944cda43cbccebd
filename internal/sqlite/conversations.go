package sqlite

import (
	"context"
	"errors"
	"maps"
	"time"

	"example.org/bridge/internal/bridge"
)

// CreateConversation implements bridge.Store.
func (s *Store) CreateConversation(ctx context.Context, op bridge.Operation, c bridge.NewConversation) (bridge.NewConversation, error) {
	err := s.operate(ctx, op, durable, func(e *entry) error {
		c = c.From(e.now)
		e.head.usage.Conversations++
		_, err := e.exec(`
			INSERT INTO conversations (id, role_a, role_b, team, team_id, created_at, expires_at, expiry_seal, join_hash, join_expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, c.RoleA, c.RoleB, c.Team, c.TeamID, c.CreatedAt, c.ExpiresAt, c.ExpirySeal, c.JoinHash, c.JoinExpiresAt)
		if err != nil {
			return err
		}
		_, err = e.exec("INSERT INTO session_status (conversation, session, nonce, fingerprint, seen_at) VALUES (?1, 'a', ?2, ?3, ?6), (?1, 'b', ?4, ?5, 0)",
			c.ID, c.Nonces.A, c.Prints.A, c.Nonces.B, c.Prints.B, op.Now)
		return err
	})
	return c, err
}

// JoinConversation implements bridge.Store.
func (s *Store) JoinConversation(ctx context.Context, op bridge.Operation, hash []byte, rule bridge.InvitationRule) (i bridge.Invitation, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		if i, err = getInvitation(e.conn, hash); err != nil {
			return err
		}
		i.Clock = e.head.clock
		if err := rule(i); err != nil {
			return err
		}
		e.op.Conversation, i.JoinedAt = i.ID, op.Now
		if _, err := e.exec("UPDATE conversations SET joined_at = ? WHERE id = ?", op.Now, i.ID); err != nil {
			return err
		}
		return e.seen(i.ID, bridge.SessionB)
	})
	return i, err
}

// getInvitation returns what a join code opens, or a zero Invitation.
func getInvitation(c *conn, hash []byte) (i bridge.Invitation, err error) {
	err = c.get(`
		SELECT c.id, c.role_a, c.role_b, c.team, c.team_id, c.created_at, c.expires_at, c.joined_at, c.join_expires_at, c.expiry_seal, b.nonce, b.last_seq - b.read_seq
		FROM conversations c JOIN session_status b ON b.conversation = c.id AND b.session = 'b'
		WHERE c.join_hash = ?`, []any{hash},
		&i.ID, &i.RoleA, &i.RoleB, &i.Team, &i.TeamID, &i.CreatedAt, &i.ExpiresAt, &i.JoinedAt, &i.JoinExpiresAt, &i.ExpirySeal, &i.NonceB, &i.Unread)
	if errors.Is(err, errNoRow) {
		return bridge.Invitation{}, nil
	}
	return i, err
}

// SetStatus implements bridge.Store.
func (s *Store) SetStatus(ctx context.Context, g bridge.Gate, status bridge.Status) (unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		var before string
		err := e.get("SELECT status FROM session_status WHERE conversation = ? AND session = ?", []any{g.Conversation, string(g.Session)}, &before)
		if err != nil {
			return err
		}
		_, err = e.exec("UPDATE session_status SET status = ?1, heartbeat_at = ?2, seen_at = ?2 WHERE conversation = ?3 AND session = ?4",
			string(status), g.Now, g.Conversation, string(g.Session))
		if err != nil || bridge.IsNews(bridge.Status(before), status) {
			return err
		}
		return e.fold()
	})
	return unread, err
}

// PartnerState implements bridge.Store.
func (s *Store) PartnerState(ctx context.Context, g bridge.Gate) (state bridge.SessionState, unread int64, err error) {
	partner := g.Session.Partner()
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		overview, err := getOverview(e.conn, g.Conversation)
		state = overview.A
		if partner == bridge.SessionB {
			state = overview.B
		}
		return err
	})
	return state, unread, err
}

// Refuse implements bridge.Store.
func (s *Store) Refuse(ctx context.Context, g bridge.Gate) error {
	return s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		return &bridge.Refusal{Outcome: bridge.OutcomeInvalid}
	})
}

// RefuseOperation implements bridge.Store.
func (s *Store) RefuseOperation(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, relaxed, func(e *entry) error { return &bridge.Refusal{Outcome: bridge.OutcomeInvalid} })
}

const selectOverview = `
	SELECT c.id, c.role_a, c.role_b, c.team, c.team_id, c.created_at, c.expires_at, c.expiry_seal, c.joined_at,
	       a.status, a.seen_at, a.last_seq, a.last_seq - a.read_seq, a.receipt_id, a.receipt_at,
	       b.status, b.seen_at, b.last_seq, b.last_seq - b.read_seq, b.receipt_id, b.receipt_at
	FROM conversations c
	JOIN session_status a ON a.conversation = c.id AND a.session = 'a'
	JOIN session_status b ON b.conversation = c.id AND b.session = 'b'`

// overviewRow is where a row of selectOverview is read into.
type overviewRow struct {
	bridge.Overview
	statusA, statusB string
}

func (r *overviewRow) dest() []any {
	return []any{
		&r.ID, &r.RoleA, &r.RoleB, &r.Team, &r.TeamID, &r.CreatedAt, &r.ExpiresAt, &r.ExpirySeal, &r.JoinedAt,
		&r.statusA, &r.A.SeenAt, &r.A.Received, &r.A.Unread, &r.A.ReadID, &r.A.ReadAt,
		&r.statusB, &r.B.SeenAt, &r.B.Received, &r.B.Unread, &r.B.ReadID, &r.B.ReadAt,
	}
}

func (r *overviewRow) overview() bridge.Overview {
	o := r.Overview
	o.A.Session, o.A.Role, o.A.Status = bridge.SessionA, o.RoleA, bridge.Status(r.statusA)
	o.B.Session, o.B.Role, o.B.Status = bridge.SessionB, o.RoleB, bridge.Status(r.statusB)
	return o
}

func getOverview(c *conn, id string) (bridge.Overview, error) {
	var row overviewRow
	err := c.get(selectOverview+" WHERE c.id = ?", []any{id}, row.dest()...)
	if errors.Is(err, errNoRow) {
		return bridge.Overview{}, bridge.ErrNotFound
	}
	return row.overview(), err
}

func listOverviews(c *conn, where string, args ...any) ([]bridge.Overview, error) {
	var row overviewRow
	var all []bridge.Overview
	err := c.each(selectOverview+where+" ORDER BY c.created_at DESC, c.id", args, row.dest(), func() error {
		all = append(all, row.overview())
		return nil
	})
	return all, err
}

// Conversations implements bridge.Store.
func (s *Store) Conversations(ctx context.Context) (all []bridge.Overview, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, err = listOverviews(c, "")
		return err
	})
	return all, err
}

// Conversation implements bridge.Store.
func (s *Store) Conversation(ctx context.Context, id string) (o bridge.Overview, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		o, err = getOverview(c, id)
		return err
	})
	return o, err
}

// Nonces implements bridge.Store.
func (s *Store) Nonces(ctx context.Context, op bridge.Operation) (n bridge.Nonces, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		err := e.get(`
			SELECT a.nonce, b.nonce FROM session_status a JOIN session_status b USING (conversation)
			WHERE conversation = ? AND a.session = 'a' AND b.session = 'b'`,
			[]any{op.Conversation}, &n.A, &n.B)
		if errors.Is(err, errNoRow) {
			return bridge.ErrNotFound
		}
		return err
	})
	return n, err
}

// ReplaceNonces implements bridge.Store.
func (s *Store) ReplaceNonces(ctx context.Context, op bridge.Operation, fresh []bridge.NewNonce) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		for _, n := range fresh {
			result, err := e.exec("UPDATE session_status SET nonce = ?, fingerprint = ? WHERE conversation = ? AND session = ?",
				n.Nonce, n.Print, op.Conversation, string(n.Session))
			if err != nil {
				return err
			}
			if changed, err := result.RowsAffected(); err != nil || changed == 0 {
				return errors.Join(bridge.ErrNotFound, err)
			}
		}
		if !bridge.EndsJoinCode(fresh) {
			return nil
		}
		_, err := e.exec("UPDATE conversations SET join_hash = NULL WHERE id = ?", op.Conversation)
		return err
	})
}

// RemoveExpired implements bridge.Store.
func (s *Store) RemoveExpired(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (expired []bridge.Overview, err error) {
	const where = " WHERE c.expires_at <= ?"
	if dryRun {
		err = s.read.do(ctx, func(c *conn) error {
			expired, err = listOverviews(c, where, before)
			return err
		})
		return expired, err
	}
	for more := true; more && err == nil; {
		if err := ctx.Err(); err != nil {
			return expired, err
		}
		var removed []bridge.Overview
		removed, more, err = s.removeSome(ctx, op, where, before)
		if errors.Is(err, bridge.ErrStoreFull) {
			if err = s.makeRoom(ctx, before); err == nil {
				removed, more, err = s.removeSome(ctx, op, where, before)
			}
		}
		expired = append(expired, removed...)
	}
	return expired, err
}

// removeSome removes some of the conversations that where selects, with an entry
// in the log of its own, and reports whether more are left.
func (s *Store) removeSome(ctx context.Context, op bridge.Operation, where string, before time.Time) (removed []bridge.Overview, more bool, err error) {
	op.Details = maps.Clone(op.Details)
	err = s.operate(ctx, op, durable, func(e *entry) error {
		expired, err := listOverviews(e.conn, where, before)
		if err != nil {
			return err
		}
		removed = bridge.CleanupBatch(expired)
		more = len(removed) < len(expired)
		gone := bridge.CleanedUp(removed, e.op.Details)
		e.head.usage.Conversations -= gone.Conversations
		e.head.usage.Messages -= gone.Messages
		for _, o := range removed {
			if err := removeConversation(e.conn, o.ID); err != nil {
				return err
			}
		}
		if err := e.forgetAccounts(); err != nil {
			return err
		}
		return e.removeOrphans()
	})
	if err != nil {
		return nil, false, err
	}
	return removed, more, nil
}

func removeConversation(c *conn, id string) error {
	for _, query := range []string{
		"DELETE FROM messages WHERE conversation = ?1",
		"DELETE FROM silences WHERE conversation = ?1",
		"DELETE FROM pauses WHERE conversation = ?1",
		"DELETE FROM file_claims WHERE conversation = ?1",
		"DELETE FROM session_status WHERE conversation = ?1",
		"DELETE FROM yolo_modes WHERE conversation = ?1",
		"DELETE FROM yolo_grants WHERE conversation = ?1",
		"DELETE FROM command_requests WHERE conversation = ?1",
		"UPDATE tasks SET idempotency_key = NULL WHERE home = ?1", // nobody can repeat the call
		"DELETE FROM conversations WHERE id = ?1",
		"DELETE FROM limits WHERE conversation = ?1",
		"DELETE FROM folds WHERE conversation = ?1",
	} {
		if _, err := c.exec(query, id); err != nil {
			return err
		}
	}
	for _, bucket := range bridge.Buckets(id) {
		if _, err := c.exec("DELETE FROM rate_limits WHERE bucket = ?", bucket); err != nil {
			return err
		}
	}
	return nil
}

// forgetAccounts removes the accounts of callers that are gone: after a day each
// window has got back what was spent.
func (e *entry) forgetAccounts() error {
	_, err := e.exec("DELETE FROM rate_limits WHERE at < ?", e.now.Add(-bridge.AccountsFor))
	return err
}

// removeOrphans removes the tasks of teams without any conversation left.
func (e *entry) removeOrphans() error {
	var open int64
	const orphans = " WHERE team_id NOT IN (SELECT team_id FROM conversations)"
	if err := e.get("SELECT count(*) FROM tasks"+orphans+" AND ended_at = 0", nil, &open); err != nil {
		return err
	}
	if open > 0 {
		e.op.Details["open_tasks"] = open
	}
	if _, err := e.exec("DELETE FROM task_events WHERE task IN (SELECT id FROM tasks" + orphans + ")"); err != nil {
		return err
	}
	_, err := e.exec("DELETE FROM tasks" + orphans)
	return err
}

// ExtendConversation implements bridge.Store.
func (s *Store) ExtendConversation(ctx context.Context, g bridge.Gate, rule bridge.ExtendRule) (unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		return e.extend(rule)
	})
	return unread, err
}

// ExtendByOperator implements bridge.Store.
func (s *Store) ExtendByOperator(ctx context.Context, op bridge.Operation, rule bridge.ExtendRule) error {
	return s.operate(ctx, op, durable, func(e *entry) error { return e.extend(rule) })
}

func (e *entry) extend(rule bridge.ExtendRule) error {
	o, err := getOverview(e.conn, e.op.Conversation)
	if err != nil {
		return err
	}
	x := rule(o, e.now)
	if _, err := e.exec("UPDATE conversations SET expires_at = ?, expiry_seal = ? WHERE id = ?", x.ExpiresAt, x.ExpirySeal, o.ID); err != nil {
		return err
	}
	if x.JoinHash == nil {
		return nil
	}
	_, err = e.exec("UPDATE conversations SET join_hash = ?, join_expires_at = ? WHERE id = ?", x.JoinHash, x.JoinExpiresAt, o.ID)
	return err
}
