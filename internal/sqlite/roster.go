package sqlite

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
)

// rosterColumns are what is known of a session s.
const rosterColumns = `s.session, s.role, s.status, s.seen_at, s.last_seq, s.last_seq - s.read_seq, s.receipt_id, s.receipt_at, s.joined_at,
	CASE WHEN s.joined_at <> 0 THEN 0 ELSE s.join_expires_at END`

// rosterRow is where rosterColumns are read into.
type rosterRow struct {
	bridge.SessionState
	session, status string
}

func (r *rosterRow) dest() []any {
	return []any{&r.session, &r.Role, &r.status, &r.SeenAt, &r.Received, &r.Unread, &r.ReadID, &r.ReadAt, &r.JoinedAt, &r.KeptUntil}
}

func (r *rosterRow) state() bridge.SessionState {
	s := r.SessionState
	s.Session, s.Status = bridge.SessionID(r.session), bridge.Status(r.status)
	return s
}

// getRoster returns the sessions of a conversation.
func getRoster(c *conn, conversation string) (all bridge.Roster, err error) {
	var row rosterRow
	err = c.each("SELECT "+rosterColumns+" FROM session_status s WHERE s.conversation = ? ORDER BY s.session",
		[]any{conversation}, row.dest(), func() error {
			all = append(all, row.state())
			return nil
		})
	return all, err
}

const selectOverview = `
	SELECT c.id, c.team, c.team_id, c.created_at, c.expires_at, c.expiry_seal, c.copies, ` + rosterColumns + `
	FROM conversations c JOIN session_status s ON s.conversation = c.id`

func getOverview(c *conn, id string) (bridge.Overview, error) {
	all, err := readOverviews(c, " WHERE c.id = ? ORDER BY s.session", id)
	if err == nil && len(all) == 0 {
		return bridge.Overview{}, bridge.ErrNotFound
	}
	if err != nil {
		return bridge.Overview{}, err
	}
	return all[0], nil
}

func listOverviews(c *conn, where string, args ...any) ([]bridge.Overview, error) {
	return readOverviews(c, where+" ORDER BY c.created_at DESC, c.id, s.session", args...)
}

// readOverviews reads the rows of selectOverview, of which those of a conversation
// must follow each other.
func readOverviews(c *conn, where string, args ...any) (all []bridge.Overview, err error) {
	var o bridge.Overview
	var row rosterRow
	dest := append([]any{&o.ID, &o.Team, &o.TeamID, &o.CreatedAt, &o.ExpiresAt, &o.ExpirySeal, &o.Copies}, row.dest()...)
	err = c.each(selectOverview+where, args, dest, func() error {
		if len(all) == 0 || all[len(all)-1].ID != o.ID {
			all = append(all, o)
		}
		last := &all[len(all)-1]
		last.Sessions = append(last.Sessions, row.state())
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

// Roster implements bridge.Store.
func (s *Store) Roster(ctx context.Context, g bridge.Gate) (roster bridge.Roster, unread int64, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		unread = e.self.Waiting(g.Now)
		roster, err = getRoster(e.conn, g.Conversation)
		if err != nil || !e.many() {
			return err
		}
		return readOf(e.conn, g.Conversation, g.Session, roster)
	})
	return roster, unread, err
}

// InviteSession implements bridge.Store.
func (s *Store) InviteSession(ctx context.Context, g bridge.Gate, rule bridge.InviteRule) (fresh bridge.NewSession, unread int64, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		unread = e.self.Waiting(g.Now)
		o, err := getOverview(e.conn, g.Conversation)
		if err != nil {
			return err
		}
		if fresh, err = rule(o, e.now); err != nil {
			return err
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		e.op.Details["invited"], e.op.Details["role"] = fresh.Session, fresh.Role
		if !e.many() {
			if err := e.firstFlows(g.Conversation); err != nil {
				return err
			}
		}
		if _, err := e.exec("DELETE FROM session_status WHERE conversation = ? AND session = ?", g.Conversation, string(fresh.Session)); err != nil {
			return err
		}
		if err := e.addSession(g.Conversation, fresh); err != nil {
			return err
		}
		_, err = e.exec("UPDATE conversations SET sessions = (SELECT count(*) FROM session_status WHERE conversation = ?1) WHERE id = ?1", g.Conversation)
		return err
	})
	return fresh, unread, err
}

func (e *entry) addSession(conversation string, s bridge.NewSession) error {
	_, err := e.exec("INSERT INTO session_status (conversation, session, nonce, fingerprint, role, join_hash, join_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		conversation, string(s.Session), s.Nonce, s.Print, s.Role, blob(s.JoinHash), s.JoinExpiresAt)
	return err
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
		e.op.Conversation, e.op.Actor, i.JoinedAt = i.ID, string(i.Session), op.Now
		_, err := e.exec("UPDATE session_status SET joined_at = ? WHERE conversation = ? AND session = ?", op.Now, i.ID, string(i.Session))
		if err != nil {
			return err
		}
		if err := e.seen(i.ID, i.Session); err != nil {
			return err
		}
		i.Roster, err = getRoster(e.conn, i.ID)
		return err
	})
	return i, err
}

// getInvitation returns what a join code opens, or a zero Invitation.
func getInvitation(c *conn, hash []byte) (i bridge.Invitation, err error) {
	var session string
	var paused int64
	err = c.get(`
		SELECT c.id, c.team, c.team_id, c.created_at, c.expires_at, c.expiry_seal, s.session, s.joined_at, s.join_expires_at, s.nonce, s.last_seq - s.read_seq,
		       EXISTS (SELECT 1 FROM pauses WHERE conversation IN ('', c.id))
		FROM session_status s JOIN conversations c ON c.id = s.conversation
		WHERE s.join_hash = ?`, []any{hash},
		&i.ID, &i.Team, &i.TeamID, &i.CreatedAt, &i.ExpiresAt, &i.ExpirySeal, &session, &i.JoinedAt, &i.JoinExpiresAt, &i.Nonce, &i.Unread, &paused)
	if errors.Is(err, errNoRow) {
		return bridge.Invitation{}, nil
	}
	i.Session, i.Paused = bridge.SessionID(session), paused != 0
	return i, err
}
