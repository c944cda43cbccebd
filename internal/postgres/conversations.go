package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// CreateConversation implements bridge.Store.
func (s *Store) CreateConversation(ctx context.Context, op bridge.Operation, c bridge.NewConversation) (made bridge.NewConversation, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		made = c.From(e.Time)
		e.count(made.ID, 1, 0)
		e.newChain(made.ID)
		e.later("INSERT INTO conversations (id, team, team_id, created_at, expires_at, expiry_seal) VALUES ($1, $2, $3, $4, $5, $6)",
			made.ID, made.Team, made.TeamID, made.CreatedAt, made.ExpiresAt, made.ExpirySeal)
		for _, session := range []bridge.NewSession{made.A, made.B} {
			if err := sqlstore.AddSession(e.sql(), made.ID, session); err != nil {
				return err
			}
		}
		e.later("UPDATE session_status SET seen_at = $1 WHERE conversation = $2 AND session = 'a'", op.Now, made.ID)
		return nil
	})
	return made, err
}

const whereExpired = " WHERE c.expires_at <= $1"

// RemoveExpired implements bridge.Store.
func (s *Store) RemoveExpired(ctx context.Context, op bridge.Operation, before time.Time, genuine bridge.EndCheck, dryRun bool) (expired []bridge.Overview, err error) {
	if dryRun {
		err = s.read(ctx, func(c *conn) error {
			expired, err = sqlstore.Overviews(c.sql(), whereExpired, before)
			expired = genuine.Of(expired)
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
		expired = append(expired, removed...)
	}
	return expired, err
}

// removeSome removes some of the conversations whose genuine expiry is before a time,
// in one transaction with its own audit entry, and reports whether any are left.
func (s *Store) removeSome(ctx context.Context, op bridge.Operation, before time.Time, genuine bridge.EndCheck) (removed []bridge.Overview, more bool, err error) {
	op.Details = maps.Clone(op.Details)
	err = s.operate(ctx, op, durable, func(e *entry) error {
		expired, err := sqlstore.Overviews(e.sql(), whereExpired, before)
		if err != nil {
			return err
		}
		expired = genuine.Of(expired)
		chosen := bridge.CleanupBatch(expired)
		more = len(chosen) < len(expired)
		if removed, err = e.stillExpired(chosen, before); err != nil {
			return err
		}
		removed = genuine.Of(removed)
		bridge.CleanedUp(removed, e.Operation.Details)
		for _, o := range removed {
			gone := bridge.CleanedUp([]bridge.Overview{o}, bridge.Details{})
			e.count(o.ID, -gone.Conversations, -gone.Messages)
			e.removeConversation(o)
		}
		e.later("DELETE FROM rate_limits WHERE at < $1", e.Time.Add(-bridge.AccountsFor))
		return sqlstore.RemoveOrphans(e.sql(), e.Operation.Details)
	})
	if err != nil {
		return nil, false, err
	}
	return removed, more, nil
}

// stillExpired locks conversations in order of id and returns those that are still
// expired, since one may have been extended meanwhile.
func (e *entry) stillExpired(chosen []bridge.Overview, before time.Time) (locked []bridge.Overview, err error) {
	ordered := slices.SortedFunc(slices.Values(chosen), func(a, b bridge.Overview) int { return strings.Compare(a.ID, b.ID) })
	ids := make([]string, len(ordered))
	for i, o := range ordered {
		ids[i] = o.ID
		holdAnother(e.conn, o.ID)
	}
	return sqlstore.Overviews(e.sql(), whereExpired+" AND c.id = ANY($2)", before, ids)
}

func (e *entry) removeConversation(o bridge.Overview) {
	for _, query := range []string{
		"DELETE FROM inbox WHERE conversation = $1",
		"DELETE FROM flows WHERE conversation = $1",
		"DELETE FROM sent WHERE conversation = $1",
		"DELETE FROM messages WHERE conversation = $1",
		"DELETE FROM silences WHERE worker = $1 OR worker >= $1 || '/' AND worker < $1 || '0'", // of its workers
		"DELETE FROM pauses WHERE conversation = $1",
		"DELETE FROM file_claims WHERE conversation = $1",
		"DELETE FROM file_changes WHERE file IN (SELECT id FROM files WHERE conversation = $1)",
		"DELETE FROM file_texts WHERE file IN (SELECT id FROM files WHERE conversation = $1)",
		"DELETE FROM files WHERE conversation = $1",
		"DELETE FROM steps WHERE conversation = $1",
		"DELETE FROM session_status WHERE conversation = $1",
		"DELETE FROM yolo_modes WHERE conversation = $1",
		"DELETE FROM yolo_grants WHERE conversation = $1",
		"DELETE FROM command_requests WHERE conversation = $1",
		"UPDATE tasks SET idempotency_key = NULL WHERE home = $1", // no caller can repeat the call
		"DELETE FROM conversations WHERE id = $1",
		"DELETE FROM limits WHERE conversation = $1",
		"DELETE FROM folds WHERE conversation = $1",
	} {
		e.later(query, o.ID)
	}
	e.later("DELETE FROM rate_limits WHERE bucket = ANY($1)", bridge.Buckets(o.ID, o.Sessions.IDs()))
}

// Compact implements bridge.Store. It vacuums the tables, after which the server reuses,
// and so overwrites, the space of what was removed. The files do not shrink.
func (s *Store) Compact(ctx context.Context) error {
	return s.vacuum(ctx)
}
