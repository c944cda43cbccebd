package sqlite

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/sqlstore"
)

// PeekCommand implements bridge.Store.
func (s *Store) PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (v commands.View, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		err := c.get(`
			SELECT h.latest, h.slow, c.expires_at, c.expiry_seal, s.nonce
			FROM audit_head h
			LEFT JOIN conversations c ON c.id = ?1
			LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2`,
			[]any{conversation, string(session)}, &v.Clock.Latest, &v.Clock.Slow, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce)
		if err = headless(err); err != nil {
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
		return e.chargeCall()
	})
	return unread, err
}

// RefuseCommand implements bridge.Store.
func (s *Store) RefuseCommand(ctx context.Context, g bridge.Gate) error {
	return s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		return &bridge.Refusal{Reason: nil, Outcome: bridge.OutcomeRefused}
	})
}

// QueueCommand implements bridge.Store.
func (s *Store) QueueCommand(ctx context.Context, g bridge.Gate, r commands.Request, l commands.QueueLimits) (id, unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		scene, err := e.queueScene(r.Conversation)
		if err != nil {
			return err
		}
		if err := scene.Admit(r, l); err != nil {
			return err
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		for _, replaced := range scene.Replaces(r) {
			if err := e.cancelCommand(replaced); err != nil {
				return err
			}
		}
		id, err = e.insertCommand(r)
		unread = e.self.Waiting(g.Now)
		e.op.Details["request"] = id
		return err
	})
	return id, unread, err
}

// queueScene is what decides about a new request.
func (e *entry) queueScene(conversation string) (s commands.QueueScene, err error) {
	s.Now = e.now
	if s.Opening, err = getOpening(e.conn, conversation); err != nil {
		return s, err
	}
	var a commands.Asked
	var session, state string
	err = e.each("SELECT id, session, command, state, decided_at, expires_at FROM command_requests WHERE conversation = ?", []any{conversation},
		[]any{&a.ID, &session, &a.Command, &state, &a.DecidedAt, &a.ExpiresAt}, func() error {
			a.Session, a.State = bridge.SessionID(session), commands.State(state)
			s.Asked = append(s.Asked, a)
			return nil
		})
	return s, err
}

func (e *entry) cancelCommand(id int64) error {
	_, err := e.exec("UPDATE command_requests SET state = ? WHERE id = ?", string(commands.StateCancelled), id)
	return err
}

func (e *entry) insertCommand(r commands.Request) (int64, error) {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return 0, err
	}
	access, err := json.Marshal(r.Access)
	if err != nil {
		return 0, err
	}
	result, err := e.exec(`
		INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode,
		                              sandbox, image, network, access, timeout, nonce, digest, state, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
		r.Conversation, string(r.Session), r.Command, string(plan), string(r.Mode), r.Workspace,
		int64(r.Folder.Device), int64(r.Folder.Inode), string(r.Sandbox), r.Image, bit(r.Network), string(access),
		r.Timeout.Microseconds(), r.Nonce, r.Digest, r.CreatedAt, r.ExpiresAt)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// UseApproval implements commands.Store.
func (s *Store) UseApproval(ctx context.Context, g bridge.Gate, u commands.ApprovalUse) error {
	return s.pass(ctx, g, durable, func(e *entry) error {
		scene, err := e.approvalScene("WHERE id = ? AND conversation = ? AND session = ?", u.ID, g.Conversation, string(g.Session))
		if err != nil {
			return err
		}
		if scene.Opening, err = getOpening(e.conn, g.Conversation); err != nil {
			return err
		}
		void, err := scene.Admit(u)
		if void {
			if err := e.cancelCommand(u.ID); err != nil {
				return err
			}
		}
		if err != nil {
			e.op.Details["stage"], e.op.Details["reason"] = "refused", err.Error()
			return err
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		_, err = e.exec("UPDATE command_requests SET state = 'consumed', used_at = ? WHERE id = ?", g.Now, u.ID)
		return err
	})
}

// approvalScene is what decides about a request that is there; one with ID 0
// where there is none.
func (e *entry) approvalScene(where string, args ...any) (commands.ApprovalScene, error) {
	s := commands.ApprovalScene{Now: e.now}
	found, err := first(listCommands(e.conn, where, args...))
	if err != nil || found == nil {
		return s, err
	}
	s.Request = *found
	s.Opening, err = getOpening(e.conn, found.Conversation)
	return s, err
}

// EndCommand implements bridge.Store.
func (s *Store) EndCommand(ctx context.Context, op bridge.Operation, end commands.End, of bridge.SessionID, m bridge.NewMessage) (sent bridge.Sent, err error) {
	err = s.operate(ctx, op, durable, func(e *entry) error {
		_, err := e.exec("UPDATE command_requests SET ended_at = ?, exit_code = ?, snapshot = ?, snapshot_number = ? WHERE id = ?",
			op.Now, end.ExitCode, end.Snapshot, end.SnapshotNumber, end.ID)
		if err != nil {
			return err
		}
		to, err := e.others(op.Conversation, of)
		if err != nil {
			return err
		}
		if len(to) == 0 {
			e.op.Details["partner"] = "gone" // the conversation was removed meanwhile
			return nil
		}
		if sent, err = e.deliver(op.Conversation, bridge.System, to, "", m); err != nil {
			return err
		}
		e.op.Details["message_id"] = sent.ID
		return e.get("SELECT last_seq - read_seq FROM session_status WHERE conversation = ? AND session = ?",
			[]any{op.Conversation, string(of)}, &sent.Unread)
	})
	return sent, err
}

// DecideCommand implements commands.Store.
func (s *Store) DecideCommand(ctx context.Context, op bridge.Operation, d commands.Decision) error {
	return s.operate(ctx, op, durable, func(e *entry) error {
		scene, err := e.approvalScene("WHERE id = ?", d.ID)
		if err != nil {
			return err
		}
		if err := scene.Decide(d); err != nil {
			return err
		}
		_, err = e.exec("UPDATE command_requests SET state = ?, decided_at = ?, approved_until = ?, token_hash = ?, seal = ? WHERE id = ?",
			string(d.State), e.now, d.ApprovedUntil, sqlstore.Blob(d.TokenHash), sqlstore.Blob(d.Seal), d.ID)
		return err
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
		all, err = listCommands(c, "WHERE (?1 = 0 OR id = ?1) AND (?2 = '' OR conversation = ?2) AND (?3 = '' OR state = ?3) ORDER BY id DESC LIMIT ?4 + 0",
			q.ID, q.Conversation, string(q.State), limit)
		return err
	})
	return all, err
}

func listCommands(c *conn, where string, args ...any) (all []commands.Request, err error) {
	var r commands.Request
	var session, plan, mode, backend, state, access string
	var device, inode, network, timeout int64
	dest := []any{
		&r.ID, &r.Conversation, &session, &r.Command, &plan, &mode, &r.Workspace, &device, &inode,
		&backend, &r.Image, &network, &access, &timeout, &r.Nonce, &r.Digest, &state, &r.CreatedAt, &r.ExpiresAt,
		&r.DecidedAt, &r.ApprovedUntil, &r.TokenHash, &r.Seal, &r.UsedAt, &r.EndedAt, &r.ExitCode, &r.Snapshot, &r.SnapshotNumber,
	}
	err = c.each(`
		SELECT id, conversation, session, command, plan, mode, workspace, device, inode,
		       sandbox, image, network, access, timeout, nonce, digest, state, created_at, expires_at,
		       decided_at, approved_until, token_hash, seal, used_at, ended_at, exit_code, snapshot, snapshot_number
		FROM command_requests `+where, args, dest, func() error {
		found := r
		found.Session, found.Mode = bridge.SessionID(session), commands.Mode(mode)
		found.Folder, found.Sandbox = folder(device, inode), commands.Backend(backend)
		found.Network, found.Timeout = network != 0, time.Duration(timeout)*time.Microsecond
		found.State = commands.State(state)
		found.Plan = commands.Plan{}
		if err := json.Unmarshal([]byte(plan), &found.Plan); err != nil {
			found.Plan = commands.Plan{} // its digest no longer fits: nobody can approve it
		}
		found.Access = commands.Access{}
		_ = json.Unmarshal([]byte(access), &found.Access) // as above
		all = append(all, found)
		return nil
	})
	return all, err
}
