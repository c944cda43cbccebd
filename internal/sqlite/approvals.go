package sqlite

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// PeekCommand implements bridge.Store.
func (s *Store) PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (v commands.View, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		err := c.get(`
			SELECT c.expires_at, s.nonce FROM conversations c JOIN session_status s ON s.conversation = c.id
			WHERE c.id = ? AND s.session = ?`,
			[]any{conversation, string(session)}, &v.ExpiresAt, &v.Nonce)
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		if v.Grant, err = first(listGrants(c, "WHERE conversation = ?", conversation)); err != nil {
			return err
		}
		if v.Mode, err = getYoloMode(c, conversation, session); err != nil {
			return err
		}
		v.Last, err = first(listCommands(c, "WHERE conversation = ? AND session = ? AND command = ? ORDER BY id DESC LIMIT 1",
			conversation, string(session), command))
		return err
	})
	return v, err
}

func first[T any](all []T, err error) (*T, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// CheckCommand implements bridge.Store.
func (s *Store) CheckCommand(ctx context.Context, g bridge.Gate) (unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		unread = e.self.Waiting(g.Now)
		return e.spend()
	})
	return unread, err
}

// RefuseCommand implements bridge.Store.
func (s *Store) RefuseCommand(ctx context.Context, g bridge.Gate) error {
	return s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.spend(); err != nil {
			return err
		}
		return &bridge.Refusal{Reason: nil, Outcome: bridge.OutcomeRefused}
	})
}

// QueueCommand implements bridge.Store.
func (s *Store) QueueCommand(ctx context.Context, g bridge.Gate, r commands.Request, l commands.QueueLimits) (id, unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.needGrant(g); err != nil {
			return err
		}
		if err := e.heedLimits(r, l); err != nil {
			return err
		}
		if err := e.spend(); err != nil {
			return err
		}
		_, err := e.exec("UPDATE command_requests SET state = 'cancelled' WHERE conversation = ? AND session = ? AND command = ? AND state = 'pending'",
			r.Conversation, string(r.Session), r.Command)
		if err != nil {
			return err
		}
		id, err = e.insertCommand(r)
		unread = e.self.Waiting(g.Now)
		e.op.Details["request"] = id
		return err
	})
	return id, unread, err
}

// heedLimits refuses a request that would wear the operator down.
func (e *entry) heedLimits(r commands.Request, l commands.QueueLimits) error {
	for _, limit := range []struct {
		query  string
		args   []any
		most   int
		reason error
	}{
		{
			`
			SELECT count(*) FROM command_requests
			WHERE conversation = ?1 AND command = ?2 AND state = 'denied' AND decided_at > ?3
			  AND decided_at > (SELECT coalesce(max(decided_at), 0) FROM command_requests
			                    WHERE conversation = ?1 AND command = ?2 AND state IN ('approved', 'consumed'))`,
			[]any{r.Conversation, r.Command, l.DeniedSince},
			1, commands.ErrDenied,
		},
		{
			`
			SELECT count(*) FROM command_requests
			WHERE conversation = ?1 AND state = 'denied'
			  AND decided_at >= (SELECT opened_at FROM yolo_grants WHERE conversation = ?1)
			  AND decided_at > (SELECT coalesce(max(decided_at), 0) FROM command_requests WHERE conversation = ?1 AND state IN ('approved', 'consumed'))`,
			[]any{r.Conversation},
			l.Denied, commands.ErrTooManyDenied,
		},
		{
			"SELECT count(*) FROM command_requests WHERE conversation = ? AND state = 'pending' AND expires_at > ? AND NOT (session = ? AND command = ?)",
			[]any{r.Conversation, e.op.Now, string(r.Session), r.Command},
			l.Pending, commands.ErrQueueFull,
		},
	} {
		var n int64
		if err := e.get(limit.query, limit.args, &n); err != nil {
			return err
		}
		if n >= int64(limit.most) {
			return &bridge.Refusal{Reason: limit.reason, Outcome: bridge.OutcomeRefused}
		}
	}
	return nil
}

func (e *entry) insertCommand(r commands.Request) (int64, error) {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return 0, err
	}
	result, err := e.exec(`
		INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode,
		                              sandbox, image, network, timeout, nonce, digest, state, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
		r.Conversation, string(r.Session), r.Command, string(plan), string(r.Mode), r.Workspace,
		int64(r.Folder.Device), int64(r.Folder.Inode), string(r.Sandbox), r.Image, bit(r.Network),
		r.Timeout.Microseconds(), r.Nonce, r.Digest, r.CreatedAt, r.ExpiresAt)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// UseApproval implements bridge.Store.
func (s *Store) UseApproval(ctx context.Context, g bridge.Gate, u commands.ApprovalUse) error {
	return s.pass(ctx, g, durable, func(e *entry) error {
		if err := e.needGrant(g); err != nil {
			return err
		}
		if err := e.judgeApproval(g, u); err != nil {
			return err
		}
		if err := e.spend(); err != nil {
			return err
		}
		var id int64
		err := e.get(`
			UPDATE command_requests SET state = 'consumed', used_at = ?1
			WHERE id = ?2 AND conversation = ?3 AND session = ?4 AND state = 'approved' AND approved_until > ?1
			  AND digest = ?5 AND seal = ?6 AND token_hash IS ?7
			RETURNING id`,
			[]any{g.Now, u.ID, g.Conversation, string(g.Session), u.Digest, u.Seal, blob(u.TokenHash)}, &id)
		if errors.Is(err, errNoRow) {
			return fmt.Errorf("%w: the approval changed while it was used", bridge.ErrStoreDamaged)
		}
		return err
	})
}

// judgeApproval refuses an approval that cannot be used, and says why. One that
// is for something else is void from then on, so that it can be asked for anew.
func (e *entry) judgeApproval(g bridge.Gate, u commands.ApprovalUse) error {
	var state string
	var approvedUntil time.Time
	var digest, seal, tokenHash []byte
	err := e.get("SELECT state, approved_until, digest, seal, token_hash FROM command_requests WHERE id = ? AND conversation = ? AND session = ?",
		[]any{u.ID, g.Conversation, string(g.Session)}, &state, &approvedUntil, &digest, &seal, &tokenHash)
	if err != nil && !errors.Is(err, errNoRow) {
		return err
	}
	reason := commands.ErrApprovalChanged
	switch commands.State(state) {
	case commands.StateConsumed:
		reason = commands.ErrApprovalUsed
	case commands.StateDenied:
		reason = commands.ErrDenied
	case commands.StateApproved:
		switch {
		case !e.op.Now.Before(approvedUntil):
			reason = commands.ErrApprovalExpired
		case subtle.ConstantTimeCompare(tokenHash, u.TokenHash) == 0:
		case bytes.Equal(digest, u.Digest) && bytes.Equal(seal, u.Seal):
			return nil
		default:
			if _, err := e.exec("UPDATE command_requests SET state = 'cancelled' WHERE id = ?", u.ID); err != nil {
				return err
			}
		}
	}
	e.op.Details["stage"], e.op.Details["reason"] = "refused", reason.Error()
	return &bridge.Refusal{Reason: reason, Outcome: bridge.OutcomeRefused}
}

// EndCommand implements bridge.Store.
func (s *Store) EndCommand(ctx context.Context, op bridge.Operation, end commands.End, to bridge.SessionID, m bridge.NewMessage) (sent bridge.Sent, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		_, err := e.exec("UPDATE command_requests SET ended_at = ?, exit_code = ?, snapshot = ?, snapshot_number = ? WHERE id = ?",
			op.Now, end.ExitCode, end.Snapshot, end.SnapshotNumber, end.ID)
		if err != nil {
			return err
		}
		sent, err = e.appendTo(op.Conversation, bridge.System, to, "", m)
		if errors.Is(err, errNoRow) {
			e.op.Details["partner"] = "gone" // the conversation was removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		e.op.Details["message_id"] = sent.ID
		return e.get("SELECT last_seq - read_seq FROM session_status WHERE conversation = ? AND session = ?",
			[]any{op.Conversation, string(to.Partner())}, &sent.Unread)
	})
	return sent, err
}

// DecideCommand implements bridge.Store. A denial takes an unused approval back.
func (s *Store) DecideCommand(ctx context.Context, op bridge.Operation, d commands.Decision) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		var id int64
		err := e.get(`
			UPDATE command_requests SET state = ?1, decided_at = ?2, approved_until = ?3, token_hash = ?4, seal = ?5
			WHERE id = ?6 AND digest = ?7
			  AND (state = 'pending' AND expires_at > ?2 OR state = 'approved' AND ?1 = 'denied')
			  AND (?1 = 'denied' OR EXISTS (SELECT 1 FROM yolo_grants g WHERE g.conversation = command_requests.conversation AND g.expires_at > ?2))
			RETURNING id`,
			[]any{string(d.State), op.Now, d.ApprovedUntil, blob(d.TokenHash), blob(d.Seal), d.ID, d.Digest}, &id)
		if !errors.Is(err, errNoRow) {
			return err
		}
		err = e.get("SELECT id FROM command_requests WHERE id = ?", []any{d.ID}, &id)
		if errors.Is(err, errNoRow) {
			return commands.ErrNoRequest
		}
		if err != nil {
			return err
		}
		return &bridge.Refusal{Reason: commands.ErrDecided, Outcome: bridge.OutcomeRefused}
	})
}

// RecordOperation implements bridge.Store.
func (s *Store) RecordOperation(ctx context.Context, op bridge.Operation) error {
	return s.operate(ctx, op, durable, func(*entry) error { return nil })
}

// Commands implements bridge.Store.
func (s *Store) Commands(ctx context.Context, q commands.Query) (all []commands.Request, err error) {
	limit := int64(q.Limit)
	if limit == 0 {
		limit = math.MaxInt64
	}
	err = s.read.do(ctx, func(c *conn) error {
		all, err = listCommands(c, "WHERE (?1 = 0 OR id = ?1) AND (?2 = '' OR conversation = ?2) AND (?3 = '' OR state = ?3) ORDER BY id DESC LIMIT ?4",
			q.ID, q.Conversation, string(q.State), limit)
		return err
	})
	return all, err
}

func listCommands(c *conn, where string, args ...any) (all []commands.Request, err error) {
	var r commands.Request
	var session, plan, mode, backend, state string
	var device, inode, network, timeout int64
	dest := []any{
		&r.ID, &r.Conversation, &session, &r.Command, &plan, &mode, &r.Workspace, &device, &inode,
		&backend, &r.Image, &network, &timeout, &r.Nonce, &r.Digest, &state, &r.CreatedAt, &r.ExpiresAt,
		&r.DecidedAt, &r.ApprovedUntil, &r.TokenHash, &r.Seal, &r.UsedAt, &r.EndedAt, &r.ExitCode, &r.Snapshot, &r.SnapshotNumber,
	}
	err = c.each(`
		SELECT id, conversation, session, command, plan, mode, workspace, device, inode,
		       sandbox, image, network, timeout, nonce, digest, state, created_at, expires_at,
		       decided_at, approved_until, token_hash, seal, used_at, ended_at, exit_code, snapshot, snapshot_number
		FROM command_requests `+where, args, dest, func() error {
		found := r
		found.Session, found.Mode = bridge.SessionID(session), guard.Mode(mode)
		found.Folder, found.Sandbox = folder(device, inode), sandbox.Backend(backend)
		found.Network, found.Timeout = network != 0, time.Duration(timeout)*time.Microsecond
		found.State = commands.State(state)
		found.Plan = guard.Plan{}
		if err := json.Unmarshal([]byte(plan), &found.Plan); err != nil {
			found.Plan = guard.Plan{} // its digest no longer fits: nobody can approve it
		}
		all = append(all, found)
		return nil
	})
	return all, err
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// blob is NULL for nothing.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}
