package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

const selectOverview = `
	SELECT c.id, a.role, b.role, c.team, c.team_id, c.created_at, c.expires_at, b.joined_at,
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
		&r.ID, &r.RoleA, &r.RoleB, &r.Team, &r.TeamID, &r.CreatedAt, &r.ExpiresAt, &r.JoinedAt,
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
	err := c.get(selectOverview+" WHERE c.id = $1", []any{id}, row.dest()...)
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
	err = s.read(ctx, func(c *conn) error {
		all, err = listOverviews(c, "")
		return err
	})
	return all, err
}

// Conversation implements bridge.Store.
func (s *Store) Conversation(ctx context.Context, id string) (o bridge.Overview, err error) {
	err = s.read(ctx, func(c *conn) error {
		o, err = getOverview(c, id)
		return err
	})
	return o, err
}

const whereExpired = " WHERE c.expires_at <= $1"

// RemoveExpired implements bridge.Store.
func (s *Store) RemoveExpired(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (expired []bridge.Overview, err error) {
	if dryRun {
		err = s.read(ctx, func(c *conn) error {
			expired, err = listOverviews(c, whereExpired, before)
			return err
		})
		return expired, err
	}
	for more := true; more && err == nil; {
		if err := ctx.Err(); err != nil {
			return expired, err
		}
		var removed []bridge.Overview
		removed, more, err = s.removeSome(ctx, op, before)
		expired = append(expired, removed...)
	}
	return expired, err
}

// removeSome removes some of the conversations that expired before a time, with an
// entry in the log of its own, and reports whether more are left.
func (s *Store) removeSome(ctx context.Context, op bridge.Operation, before time.Time) (removed []bridge.Overview, more bool, err error) {
	op.Details = maps.Clone(op.Details)
	err = s.operate(ctx, op, durable, func(e *entry) error {
		expired, err := listOverviews(e.conn, whereExpired, before)
		if err != nil {
			return err
		}
		chosen := bridge.CleanupBatch(expired)
		more = len(chosen) < len(expired)
		if removed, err = e.stillExpired(chosen, before); err != nil {
			return err
		}
		bridge.CleanedUp(removed, e.op.Details)
		for _, o := range removed {
			gone := bridge.CleanedUp([]bridge.Overview{o}, bridge.Details{})
			e.count(o.ID, -gone.Conversations, -gone.Messages)
			e.removeConversation(o.ID)
		}
		e.later("DELETE FROM rate_limits WHERE at < $1", e.now.Add(-bridge.AccountsFor))
		return e.removeOrphans()
	})
	if err != nil {
		return nil, false, err
	}
	return removed, more, nil
}

// stillExpired locks conversations, in order of id, and returns them as they are
// then: somebody may have extended one.
func (e *entry) stillExpired(chosen []bridge.Overview, before time.Time) (locked []bridge.Overview, err error) {
	ordered := slices.SortedFunc(slices.Values(chosen), func(a, b bridge.Overview) int { return strings.Compare(a.ID, b.ID) })
	ids := make([]string, len(ordered))
	for i, o := range ordered {
		ids[i] = o.ID
		holdAnother(e.conn, o.ID)
	}
	return listOverviews(e.conn, whereExpired+" AND c.id = ANY($2)", before, ids)
}

func (e *entry) removeConversation(id string) {
	for _, query := range []string{
		"DELETE FROM inbox WHERE conversation = $1",
		"DELETE FROM messages WHERE conversation = $1",
		"DELETE FROM silences WHERE conversation = $1",
		"DELETE FROM pauses WHERE conversation = $1",
		"DELETE FROM file_claims WHERE conversation = $1",
		"DELETE FROM session_status WHERE conversation = $1",
		"DELETE FROM yolo_modes WHERE conversation = $1",
		"DELETE FROM yolo_grants WHERE conversation = $1",
		"DELETE FROM command_requests WHERE conversation = $1",
		"UPDATE tasks SET idempotency_key = NULL WHERE home = $1", // nobody can repeat the call
		"DELETE FROM conversations WHERE id = $1",
		"DELETE FROM limits WHERE conversation = $1",
		"DELETE FROM folds WHERE conversation = $1",
	} {
		e.later(query, id)
	}
	e.later("DELETE FROM rate_limits WHERE bucket = ANY($1)", bridge.Buckets(id))
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
	e.later("DELETE FROM task_events WHERE task IN (SELECT id FROM tasks" + orphans + ")")
	e.later("DELETE FROM tasks" + orphans)
	return nil
}

// Compact implements bridge.Store. The server keeps the room of what was removed
// for what comes, and overwrites it then: it is PostgreSQL's to vacuum.
func (s *Store) Compact(ctx context.Context) error {
	return s.vacuum(ctx)
}
