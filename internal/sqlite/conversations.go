package sqlite

import (
	"context"
	"errors"
	"maps"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// CreateConversation implements bridge.Store.
func (s *Store) CreateConversation(ctx context.Context, op bridge.Operation, c bridge.NewConversation) (bridge.NewConversation, error) {
	err := s.operate(ctx, op, durable, func(e *entry) error {
		c = c.From(e.Time)
		e.head.usage.Conversations++
		_, err := e.exec(`
			INSERT INTO conversations (id, role_a, role_b, team, team_id, created_at, expires_at, expiry_seal, join_expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			c.ID, c.A.Role, c.B.Role, c.Team, c.TeamID, c.CreatedAt, c.ExpiresAt, c.ExpirySeal)
		if err != nil {
			return err
		}
		for _, session := range []bridge.NewSession{c.A, c.B} {
			if err := sqlstore.AddSession(e.sql(), c.ID, session); err != nil {
				return err
			}
		}
		_, err = e.exec("UPDATE session_status SET seen_at = ? WHERE conversation = ? AND session = 'a'", op.Now, c.ID)
		return err
	})
	return c, err
}

// RemoveExpired implements bridge.Store.
func (s *Store) RemoveExpired(ctx context.Context, op bridge.Operation, before time.Time, genuine bridge.EndCheck, dryRun bool) (expired []bridge.Overview, err error) {
	if dryRun {
		err = s.read.do(ctx, func(c *conn) error {
			expired, err = expiredBefore(c, before, genuine)
			return err
		})
		return expired, err
	}
	for more := true; more && err == nil; {
		if err := ctx.Err(); err != nil {
			return expired, err
		}
		var removed []bridge.Overview
		removed, more, err = s.removeSome(ctx, op, before, genuine)
		if errors.Is(err, bridge.ErrStoreFull) {
			if err = s.makeRoom(ctx, before, genuine); err == nil {
				removed, more, err = s.removeSome(ctx, op, before, genuine)
			}
		}
		expired = append(expired, removed...)
	}
	return expired, err
}

// expiredBefore returns the conversations whose genuine expiry is before a time.
func expiredBefore(c *conn, before time.Time, genuine bridge.EndCheck) ([]bridge.Overview, error) {
	all, err := sqlstore.Overviews(c.sql(), " WHERE c.expires_at <= ?", before)
	return genuine.Of(all), err
}

// removeSome removes some of those conversations in one transaction with its own audit
// entry, and reports whether any are left.
func (s *Store) removeSome(ctx context.Context, op bridge.Operation, before time.Time, genuine bridge.EndCheck) (removed []bridge.Overview, more bool, err error) {
	op.Details = maps.Clone(op.Details)
	err = s.operate(ctx, op, durable, func(e *entry) error {
		expired, err := expiredBefore(e.conn, before, genuine)
		if err != nil {
			return err
		}
		removed = bridge.CleanupBatch(expired)
		more = len(removed) < len(expired)
		gone := bridge.CleanedUp(removed, e.Operation.Details)
		e.head.usage.Conversations -= gone.Conversations
		e.head.usage.Messages -= gone.Messages
		for _, o := range removed {
			if err := removeConversation(e.conn, o); err != nil {
				return err
			}
		}
		if err := e.forgetAccounts(); err != nil {
			return err
		}
		return sqlstore.RemoveOrphans(e.sql(), e.Operation.Details)
	})
	if err != nil {
		return nil, false, err
	}
	return removed, more, nil
}

func removeConversation(c *conn, o bridge.Overview) error {
	for _, query := range []string{
		"DELETE FROM copies WHERE conversation = ?1",
		"DELETE FROM flows WHERE conversation = ?1",
		"DELETE FROM sent WHERE conversation = ?1",
		"DELETE FROM messages WHERE conversation = ?1",
		"DELETE FROM silences WHERE conversation = ?1 OR conversation >= ?1 || '/' AND conversation < ?1 || '0'", // of its workers
		"DELETE FROM pauses WHERE conversation = ?1",
		"DELETE FROM file_claims WHERE conversation = ?1",
		"DELETE FROM file_changes WHERE file IN (SELECT id FROM files WHERE conversation = ?1)",
		"DELETE FROM file_texts WHERE file IN (SELECT id FROM files WHERE conversation = ?1)",
		"DELETE FROM files WHERE conversation = ?1",
		"DELETE FROM steps WHERE conversation = ?1",
		"DELETE FROM session_status WHERE conversation = ?1",
		"DELETE FROM yolo_modes WHERE conversation = ?1",
		"DELETE FROM yolo_grants WHERE conversation = ?1",
		"DELETE FROM command_requests WHERE conversation = ?1",
		"UPDATE tasks SET idempotency_key = NULL WHERE home = ?1", // no caller can repeat the call
		"DELETE FROM conversations WHERE id = ?1",
		"DELETE FROM limits WHERE conversation = ?1",
		"DELETE FROM folds WHERE conversation = ?1",
	} {
		if _, err := c.exec(query, o.ID); err != nil {
			return err
		}
	}
	for _, bucket := range bridge.Buckets(o.ID, o.Sessions.IDs()) {
		if _, err := c.exec("DELETE FROM rate_limits WHERE bucket = ?", bucket); err != nil {
			return err
		}
	}
	return nil
}

// forgetAccounts removes rate limit accounts that have been idle for a day, because by
// then every window is full again.
func (e *entry) forgetAccounts() error {
	_, err := e.exec("DELETE FROM rate_limits WHERE at < ?", e.Time.Add(-bridge.AccountsFor))
	return err
}
